"""What somebody could do to a bucket of CloudTrail's, one named function an act.

    from integrity.lab import attacks
    attacks.edit_log(world, chain.log_files[5])
    attacks.delete_digests(world, chain.digests[3:5], with_logs=True)

An act changes `world.objects` and never the notes of the world (`chain.digests` and what hangs
from them), so a test can always compare. Whatever is put is last modified at `world.now`, as S3
would have it, unless the function takes another time. The last group is different: `resign` and
its companions change a digest *and sign it with the region's real key*, as if CloudTrail itself
had written it so, and the chain's notes follow.
"""

from integrity.lab.attacks.deletion import (
    cut_head,
    delete_all,
    delete_backfill,
    delete_digest,
    delete_digests,
    delete_log,
    delete_newest,
    delete_oldest,
    hide_hour_under_starting_digest,
    launder_gap,
    replace_logs_under,
)
from integrity.lab.attacks.digests import (
    Malformation,
    append_to_digest,
    bad_signature_hex,
    edit_digest,
    foreign_key,
    garble_digests,
    malform_digest,
    move_digest,
    relabel_algorithm,
    replay_digest,
    second_member_on_digest,
    tamper_backfill,
    unsign_digest,
    untime_backfill,
    wrong_signature,
)
from integrity.lab.attacks.logs import (
    append_to_log,
    archive,
    bomb_log,
    cut_trailer,
    edit_log,
    empty_log,
    plain_log,
    recompress_log,
    second_member,
    swap_logs,
    wrong_crc,
)
from integrity.lab.attacks.planting import (
    plant_digest,
    plant_folder_markers,
    plant_future,
    plant_insight,
    plant_log,
    plant_log_beside_junk,
)
from integrity.lab.attacks.resigning import (
    log_named_twice,
    name_also,
    resign,
    start_after_predecessor,
    unknown_hash_algorithm,
    unknown_signature_algorithm,
    without_log_files,
    wrong_account,
    wrong_previous_hash,
    wrong_previous_signature,
)

__all__ = [
    "Malformation",
    "append_to_digest",
    "append_to_log",
    "archive",
    "bad_signature_hex",
    "bomb_log",
    "cut_head",
    "cut_trailer",
    "delete_all",
    "delete_backfill",
    "delete_digest",
    "delete_digests",
    "delete_log",
    "delete_newest",
    "delete_oldest",
    "edit_digest",
    "edit_log",
    "empty_log",
    "foreign_key",
    "garble_digests",
    "hide_hour_under_starting_digest",
    "launder_gap",
    "log_named_twice",
    "malform_digest",
    "move_digest",
    "name_also",
    "plain_log",
    "plant_digest",
    "plant_folder_markers",
    "plant_future",
    "plant_insight",
    "plant_log",
    "plant_log_beside_junk",
    "recompress_log",
    "relabel_algorithm",
    "replace_logs_under",
    "replay_digest",
    "resign",
    "second_member",
    "second_member_on_digest",
    "start_after_predecessor",
    "swap_logs",
    "tamper_backfill",
    "unknown_hash_algorithm",
    "unknown_signature_algorithm",
    "unsign_digest",
    "untime_backfill",
    "without_log_files",
    "wrong_account",
    "wrong_crc",
    "wrong_previous_hash",
    "wrong_previous_signature",
    "wrong_signature",
]
