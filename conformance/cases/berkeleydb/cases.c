/* Every case of the Berkeley DB profile, in the order in which they are run. */
#include "bdb_cases.h"

extern const hp_case *const hp_berkeleydb_tables[];

const hp_case *const hp_berkeleydb_tables[] = {
    bdb_target_cases,
    bdb_wrong_target_cases,
    bdb_excl_cases,
    bdb_clean_cases,
    bdb_files_cases,
    bdb_odd_file_cases,
    bdb_damage_cases,
    bdb_layout_cases,
    bdb_odd_environment_cases,
    bdb_single_dir_cases,
    bdb_flags_cases,
    bdb_verbose_cases,
    bdb_callback_cases,
    bdb_callback_call_cases,
    bdb_callback_error_cases,
    bdb_config_cases,
    bdb_pace_cases,
    bdb_dbbackup_cases,
    bdb_hot_cases,
    bdb_in_progress_cases,
    bdb_at_once_cases,
    bdb_bulk_cases,
    bdb_dying_cases,
    bdb_writer_cases,
    bdb_fault_cases,
    bdb_update_cases,
    bdb_update_refused_cases,
    bdb_update_callback_cases,
    bdb_method_cases,
    bdb_utility_cases,
    bdb_utility_option_cases,
    NULL,
};
