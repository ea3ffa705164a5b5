/* The case tables of the Berkeley DB profile, one per file; cases.c strings them together. */
#ifndef BDB_CASES_H
#define BDB_CASES_H

#include "hp.h"

extern const hp_case bdb_target_cases[];
extern const hp_case bdb_wrong_target_cases[];
extern const hp_case bdb_excl_cases[];
extern const hp_case bdb_clean_cases[];
extern const hp_case bdb_files_cases[];
extern const hp_case bdb_odd_file_cases[];
extern const hp_case bdb_damage_cases[];
extern const hp_case bdb_layout_cases[];
extern const hp_case bdb_odd_environment_cases[];
extern const hp_case bdb_single_dir_cases[];
extern const hp_case bdb_flags_cases[];
extern const hp_case bdb_verbose_cases[];
extern const hp_case bdb_callback_cases[];
extern const hp_case bdb_callback_call_cases[];
extern const hp_case bdb_callback_error_cases[];
extern const hp_case bdb_config_cases[];
extern const hp_case bdb_pace_cases[];
extern const hp_case bdb_dbbackup_cases[];
extern const hp_case bdb_hot_cases[];
extern const hp_case bdb_in_progress_cases[];
extern const hp_case bdb_at_once_cases[];
extern const hp_case bdb_bulk_cases[];
extern const hp_case bdb_dying_cases[];
extern const hp_case bdb_writer_cases[];
extern const hp_case bdb_fault_cases[];
extern const hp_case bdb_update_cases[];
extern const hp_case bdb_update_refused_cases[];
extern const hp_case bdb_update_callback_cases[];
extern const hp_case bdb_method_cases[];
extern const hp_case bdb_utility_cases[];
extern const hp_case bdb_utility_option_cases[];
extern const hp_case bdb_utility_update_cases[];

#endif
