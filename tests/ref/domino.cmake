# Tests of the Domino face.
if(NOT TARGET hotproof::ref_domino)
  return()
endif()

# Whole programs, as a vendor would write them.
add_executable(domino_backup ${hotproof_SOURCE_DIR}/ref/examples/domino_backup.c)
add_executable(domino_fragment domino_fragment.c)
foreach(program domino_backup domino_fragment)
  target_link_libraries(${program} PRIVATE hotproof::ref_domino hotproof::build Threads::Threads)
endforeach()

foreach(name runtime db note backup apply example)
  hp_add_unit_test(PROGRAM domino_${name}_test
    SOURCES domino_${name}_test.c domino_support.c domino_backup.c cwd.c
    LIBS hotproof_ref_support hotproof::ref_domino LABELS ref
    DEFINITIONS TEST_HEADERS="${hotproof_SOURCE_DIR}/ref/include/domino"
      TEST_EXAMPLE="$<TARGET_FILE:domino_backup>" TEST_FRAGMENT="$<TARGET_FILE:domino_fragment>")
  target_include_directories(domino_${name}_test PRIVATE ${hotproof_SOURCE_DIR}/ref)
endforeach()
add_dependencies(domino_example_test domino_backup domino_fragment)
