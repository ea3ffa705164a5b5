# Tests of backup from another process: the engine's, the face's, and the examples'.

add_library(hotproof_ref_owner STATIC owner.c owner_child.c)
target_link_libraries(hotproof_ref_owner PUBLIC hotproof_ref_support PRIVATE hotproof::build)

foreach(name backup catalog damage open stage)
  hp_add_unit_test(PROGRAM guest_${name}_test SOURCES guest_${name}_test.c LIBS hotproof_ref_owner LABELS ref)
endforeach()
hp_add_unit_test(PROGRAM guest_face_test SOURCES guest_face_test.c
  LIBS hotproof_ref_owner hotproof::ref_berkeleydb LABELS ref)

# The programs of ref/examples, unchanged, with each library; and one that writes meanwhile.
# add_examples(name link...): NAME_hot_backup, NAME_backup_only, NAME_writer
function(add_examples name)
  foreach(program hot_backup backup_only writer)
    set(source ${hotproof_SOURCE_DIR}/ref/examples/${program}.c)
    if(program STREQUAL writer)
      set(source example_writer.c)
    endif()
    add_executable(example_${name}_${program} ${source})
    target_link_libraries(example_${name}_${program} PRIVATE ${ARGN})
    string(TOUPPER ${name}_${program} macro)
    list(APPEND example_definitions ${macro}="$<TARGET_FILE:example_${name}_${program}>")
  endforeach()
  set(example_definitions ${example_definitions} PARENT_SCOPE)
endfunction()

add_examples(ref hotproof::ref_berkeleydb hotproof::build)
find_library(HOTPROOF_LIBDB_LIBRARY NAMES db-5.3 db HINTS ${HOTPROOF_BDB_PREFIX}/lib)
find_path(HOTPROOF_LIBDB_INCLUDE_DIR db.h HINTS ${HOTPROOF_BDB_PREFIX}/include)
if(HOTPROOF_LIBDB_LIBRARY AND HOTPROOF_LIBDB_INCLUDE_DIR)
  # Without sanitizers, as the library.
  add_library(hotproof_libdb INTERFACE)
  target_include_directories(hotproof_libdb SYSTEM INTERFACE ${HOTPROOF_LIBDB_INCLUDE_DIR})
  target_link_libraries(hotproof_libdb INTERFACE ${HOTPROOF_LIBDB_LIBRARY} hotproof::warnings)
  add_examples(libdb hotproof_libdb)
  list(APPEND example_definitions HAVE_LIBDB=1)
else()
  list(APPEND example_definitions HAVE_LIBDB=0)
endif()
hp_add_unit_test(PROGRAM example_test SOURCES example_test.c cwd.c LABELS ref DEFINITIONS ${example_definitions})
foreach(name ref libdb)
  foreach(program hot_backup backup_only writer)
    if(TARGET example_${name}_${program})
      add_dependencies(example_test example_${name}_${program})
    endif()
  endforeach()
endforeach()
