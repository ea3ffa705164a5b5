# Berkeley DB: Debian's as engine libdb, and the one of HOTPROOF_BDB_PREFIX as libdb-prefix, so that a run shows them
# side by side.

# hp_add_libdb(ENGINE INCLUDE dir LIBRARY file UTILITY file-or-false MISSING text): the module for one of them. MISSING is
# for the user whose installation has no db_hotbackup.
function(hp_add_libdb engine)
  cmake_parse_arguments(PARSE_ARGV 1 L "" "INCLUDE;LIBRARY;UTILITY;MISSING" "")
  file(REAL_PATH ${L_LIBRARY} file)
  hp_add_module(${engine} REAL_LIBRARY
    SOURCES engines/libdb.c engines/bdb_engine.c ${HP_BERKELEYDB_CASE_SOURCES} ${HP_BERKELEYDB_LIBDB_SOURCES}
    SYSTEM ${L_INCLUDE}
    LIBS ${L_LIBRARY}
    DEFINITIONS HP_LIBDB_ENGINE="${engine}" HP_LIBDB_FILE="${file}"
      HP_UTILITY="$<$<BOOL:${L_UTILITY}>:${L_UTILITY}>" HP_UTILITY_MISSING="${L_MISSING}")
  add_dependencies(hotproof_kit hotproof_module_${engine})
  message(STATUS "engine ${engine}: ${file}")
endfunction()

find_path(HOTPROOF_LIBDB_INCLUDE db.h)
find_library(HOTPROOF_LIBDB_LIBRARY NAMES db-5.3 db)
if(HOTPROOF_LIBDB_INCLUDE AND HOTPROOF_LIBDB_LIBRARY)
  find_program(HOTPROOF_LIBDB_UTILITY NAMES db5.3_hotbackup db_hotbackup)
  hp_add_libdb(libdb INCLUDE ${HOTPROOF_LIBDB_INCLUDE} LIBRARY ${HOTPROOF_LIBDB_LIBRARY}
    UTILITY ${HOTPROOF_LIBDB_UTILITY}
    MISSING "db_hotbackup is not there: apt install db5.3-util, then configure again")
else()
  message(STATUS "engine libdb: not installed (apt install libdb5.3-dev)")
endif()

# The version in the header, as "5.3"; "" if it is not Berkeley DB's, or not there.
function(hp_libdb_version header variable)
  set(version "")
  if(EXISTS ${header})
    file(STRINGS ${header} lines REGEX "#define[ \t]+DB_VERSION_(MAJOR|MINOR)[ \t]+[0-9]+")
    if(lines MATCHES "DB_VERSION_MAJOR[ \t]+([0-9]+)")
      set(version ${CMAKE_MATCH_1})
      string(REGEX MATCH "DB_VERSION_MINOR[ \t]+([0-9]+)" minor "${lines}")
      string(APPEND version ".${CMAKE_MATCH_1}")
    endif()
  endif()
  set(${variable} "${version}" PARENT_SCOPE)
endfunction()

# A utility that is linked with another Berkeley DB would be judged in this one's name: `variable` becomes false.
function(hp_check_libdb_utility utility library variable)
  execute_process(COMMAND ldd ${utility} OUTPUT_VARIABLE linked ERROR_QUIET)
  if(linked MATCHES "libdb[^ \n]* => ([^\n(]*)")
    string(STRIP "${CMAKE_MATCH_1}" used)
    file(REAL_PATH "${used}" used)
    if(NOT used STREQUAL library)
      message(WARNING "${utility} uses ${used}: not tested")
      set(${variable} FALSE PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Finds header and library in the prefix, and nowhere else: a wrong prefix must not end in a test of Debian's library.
function(hp_find_libdb prefix library_variable)
  set(header ${prefix}/include/db.h)
  set(directories ${prefix}/lib ${prefix}/lib64)
  if(CMAKE_LIBRARY_ARCHITECTURE)
    list(APPEND directories ${prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE})
  endif()
  hp_libdb_version(${header} version)
  set(names libdb.so)
  if(version)
    string(REGEX REPLACE "\\..*" "" major ${version})
    set(names libdb-${version}.so libdb-${major}.so libdb.so)
    set(found_header "version ${version}")
  elseif(EXISTS ${header})
    set(found_header "not Berkeley DB's")
  else()
    set(found_header "missing")
  endif()
  find_library(library NAMES ${names} PATHS ${directories} NO_DEFAULT_PATH NO_CACHE)
  if(NOT version OR NOT library)
    set(found_library missing)
    if(library)
      set(found_library ${library})
    endif()
    list(JOIN names " or " names)
    list(JOIN directories " or " directories)
    message(FATAL_ERROR "HOTPROOF_BDB_PREFIX=${prefix}: no Berkeley DB to test.\n"
      "  header: ${header}: ${found_header}\n"
      "  shared library: ${names} in ${directories}: ${found_library}")
  endif()
  file(REAL_PATH ${library} library)
  set(${library_variable} ${library} PARENT_SCOPE)
endfunction()

# The dynamic linker looks for the name that the library gives itself, which its file need not have. A directory with
# one link of that name leads it to this file, before any other place.
function(hp_lead_to_library target library directory)
  execute_process(COMMAND ${CMAKE_READELF} -d ${library} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE ${directory})
  if(dynamic MATCHES "SONAME[^\n]*\\[([^\n]*)\\]")
    file(MAKE_DIRECTORY ${directory})
    file(CREATE_LINK ${library} ${directory}/${CMAKE_MATCH_1} SYMBOLIC)
  endif()
  set_target_properties(${target} PROPERTIES BUILD_RPATH ${directory})
  # DT_RPATH, since LD_LIBRARY_PATH goes before DT_RUNPATH.
  target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)
endfunction()

if(HOTPROOF_BDB_PREFIX)
  hp_find_libdb(${HOTPROOF_BDB_PREFIX} library)
  find_program(utility NAMES db_hotbackup db5.3_hotbackup PATHS ${HOTPROOF_BDB_PREFIX}/bin NO_DEFAULT_PATH NO_CACHE)
  if(utility)
    hp_check_libdb_utility(${utility} ${library} utility)
  endif()
  hp_add_libdb(libdb-prefix INCLUDE ${HOTPROOF_BDB_PREFIX}/include LIBRARY ${library} UTILITY ${utility}
    MISSING "${HOTPROOF_BDB_PREFIX}/bin has no db_hotbackup that uses this library")
  hp_lead_to_library(hotproof_module_libdb-prefix ${library} ${CMAKE_BINARY_DIR}/lib/libdb-prefix)
else()
  # Of an earlier configuration: a run would still load it.
  file(REMOVE ${HOTPROOF_MODULE_DIR}/libdb-prefix.so)
endif()
