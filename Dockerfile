# The service: `make image`, or `docker build --tag integrity .`; CONTRIBUTING.md says how it is run.
# BASE_IMAGE may be any image with Python 3.11 or newer as `python`, a mirror's for instance, and is
# best pinned by its digest there. docs/adr/0012-shape-of-the-image.md has the reasons.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
# pip stays in an environment of its own: the one that is shipped has none.
RUN python -m venv /opt/pip && python -m venv --without-pip /opt/venv
# Before the code, which changes more often.
COPY requirements.lock /build/
RUN /opt/pip/bin/python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
        --require-hashes --no-deps --only-binary :all: --requirement /build/requirements.lock \
    && /opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > /build/place \
    && echo /opt/integrity > "$(cat /build/place)/integrity.pth" \
    && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib
COPY integrity /opt/integrity/integrity
COPY scheduler.py /opt/integrity/
COPY image /opt/integrity/bin
# A checkout's modes are its owner's business; in the image everybody reads and nobody writes.
RUN /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        /opt/integrity/integrity /opt/integrity/scheduler.py \
    && chmod -R u=rwX,go=rX /opt/integrity \
    && chmod 0755 /opt/integrity/bin/*

FROM ${BASE_IMAGE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/integrity /opt/integrity
ENV PATH=/opt/integrity/bin:/opt/venv/bin:$PATH \
    PYTHONSAFEPATH=1 \
    HOME=/home/integrity
# The official image has no compiled standard library, and what is read-only cannot make up for it:
# what the program imports is compiled by importing it.
RUN python -c 'import boto3, concurrent.futures.process, encodings.ascii, encodings.idna, \
        multiprocessing.spawn, \
        pycurl, sqlite3, apscheduler.schedulers.background, integrity.cli.verify, \
        integrity.config.parse, integrity.config.parse_rules, integrity.deliver.cloudwatch, \
        integrity.deliver.sns, integrity.rules.child, \
        integrity.sources.s3, integrity.stores.dynamodb, integrity.stores.records_s3, \
        integrity.wiring.live, integrity.wiring.runtime, integrity.wiring.scheduled, scheduler' \
    && install -d "$HOME" \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/integrity
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/integrity
VOLUME ["/var/lib/integrity"]
# It ticks as it starts, if a tick is due; the first of all looks back two days.
HEALTHCHECK --interval=1m --timeout=15s --start-period=15m --retries=2 CMD ["integrity", "health"]
ENTRYPOINT ["/opt/integrity/bin/entrypoint"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="integrity" \
      org.opencontainers.image.description="Proves that AWS CloudTrail logs are what CloudTrail delivered." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
