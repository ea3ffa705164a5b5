# The B+tree over a view in memory, the backup room, the Berkeley DB face.
foreach(name btree btree_damage)
  hp_add_unit_test(PROGRAM ${name}_test SOURCES ${name}_test.c fake_view.c LIBS hotproof::ref_engine_tree LABELS ref)
endforeach()

ref_add_engine_test(vfs vfs_contract.c cwd.c)
foreach(name sink_dir backup_plan backup_copy)
  ref_add_engine_test(${name} cwd.c)
endforeach()

foreach(name env db cursor txn backup update)
  hp_add_unit_test(PROGRAM berkeleydb_${name}_test SOURCES berkeleydb_${name}_test.c berkeleydb_support.c
    LIBS hotproof::ref_berkeleydb LABELS ref)
endforeach()
