"""A CloudTrail in a box: real signed chains, named attacks on them, and a server to show them.

world     builds: trails, chains hour by hour, backfills, restarts, time that passes
attacks   what somebody could do to the buckets, one function an act
server    the world on 127.0.0.1, for any AWS client; faults that spoil its answers

Beneath: `cloud` and `estate` (accounts, buckets, regions), `chains`, `events`, `naming`, `signing`
and `keys` (how CloudTrail writes), `objects` (what lies in buckets); `handler`, `wire`,
`s3_front`, `s3_listings`, `s3_writes`, `cloudtrail_front`, `account_front` (how AWS answers).
"""
