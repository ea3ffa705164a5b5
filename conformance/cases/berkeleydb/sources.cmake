# Paths are relative to this directory. The first list is compiled for every implementation, the others for one each.
set(HP_BERKELEYDB_CASE_SOURCES
    cases.c
    bdb_files.c
    bdb_support.c
    bdb_sink.c
    target.c
    wrong_target.c
    excl.c
    clean.c
    files.c
    odd_files.c
    damage.c
    layout.c
    odd_environments.c
    single_dir.c
    flags.c
    verbose.c
    callbacks.c
    callback_calls.c
    callback_errors.c
    config.c
    pace.c
    dbbackup.c
    hot.c
    in_progress.c
    at_once.c
    bulk.c
    dying.c
    writers.c
    faults.c
    methods.c
    utility.c
    utility_cases.c
    utility_options.c)
set(HP_BERKELEYDB_LIBDB_SOURCES methods_libdb.c provoke_libdb.c utility_libdb.c)
set(HP_BERKELEYDB_REF_SOURCES methods_ref.c provoke_ref.c utility_ref.c)
