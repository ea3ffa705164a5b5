# Tests of capture, of the change stream, and of compaction.

foreach(part capture capture_end capture_random capture_threads apply compact)
  ref_add_engine_test(${part} copying.c)
endforeach()
hp_add_unit_test(PROGRAM change_test SOURCES change_test.c copying.c LIBS hotproof_ref_support LABELS ref
  DEFINITIONS TEST_GOLDEN="${CMAKE_CURRENT_SOURCE_DIR}/golden")
