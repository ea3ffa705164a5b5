# Paths are relative to this directory. The first list is compiled for every implementation, the others for one each.
set(HP_DOMINO_CASE_SOURCES
    cases.c
    domino_files.c
    domino_support.c
    domino_backup.c
    start.c
    copy.c
    size.c
    mark.c
    stream.c
    end.c
    apply.c
    corrupt.c
    result.c
    remote.c
    limit.c
    compact.c
    life.c
    sample.c
    promise.c)
set(HP_DOMINO_REF_SOURCES provoke_ref.c)
set(HP_DOMINO_NOTES_SOURCES provoke_notes.c)
