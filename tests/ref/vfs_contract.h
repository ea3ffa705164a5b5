/*
 * What every vfs does alike: tests that run on whichever the program supplies, in an empty directory
 * that is the current one.
 */
#ifndef TESTS_REF_VFS_CONTRACT_H
#define TESTS_REF_VFS_CONTRACT_H

#include "testmain.h"

#include "engine/vfs.h"

/* The program's. */
ref_vfs *contract_vfs(void);

/* X(test) for each. */
#define VFS_CONTRACT(X) \
    X(a_missing_file_gives_ENOENT_and_no_handle) \
    X(an_exclusive_creation_refuses_a_file_that_is_there) \
    X(truncation_cuts_at_opening) \
    X(a_file_opened_for_reading_cannot_be_written) \
    X(what_was_written_is_read_at_its_offset) \
    X(reading_past_the_end_gives_what_is_there) \
    X(truncate_cuts_and_extends_with_zeros) \
    X(allocated_space_does_not_show_in_the_size) \
    X(an_offset_beyond_the_system_s_is_refused) \
    X(two_open_files_of_one_process_exclude_each_other) \
    X(shared_locks_stand_side_by_side) \
    X(a_lock_ends_with_its_own_file_and_no_other) \
    X(a_lock_can_be_changed_and_let_go_in_part) \
    X(a_rename_replaces_and_an_exclusive_one_does_not) \
    X(directories_are_made_synced_and_removed) \
    X(an_unlinked_file_can_be_read_until_it_is_closed) \
    X(an_open_file_is_the_same_under_its_new_name) \
    X(a_directory_moves_with_all_that_is_in_it) \
    X(a_path_through_a_file_or_nothing_leads_nowhere) \
    X(a_listing_gives_each_entry_and_ends_when_told) \
    X(a_directory_can_be_emptied_while_it_is_listed) \
    X(one_file_has_one_inode_under_every_path) \
    X(resolve_takes_dots_out) \
    X(two_random_identities_differ)

#define VFS_CONTRACT_DECLARE(test) void test(void **state);
VFS_CONTRACT(VFS_CONTRACT_DECLARE)

#endif
