# The tool, and its agreement with Berkeley DB's own dump and load.
foreach(name hotref_backup hotref_dump hotref_update hotref_verify)
  hp_add_unit_test(PROGRAM ${name}_test SOURCES ${name}_test.c hotref_support.c cwd.c
    LIBS hotproof::ref_engine LABELS ref DEFINITIONS HOTREF="$<TARGET_FILE:hotref>")
  add_dependencies(${name}_test hotref)
endforeach()
add_test(NAME hotref.the_real_tools_agree
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/hotref_test.sh $<TARGET_FILE:hotref>)
set_tests_properties(hotref.the_real_tools_agree PROPERTIES LABELS "unit;ref" TIMEOUT 300 SKIP_RETURN_CODE 77)
