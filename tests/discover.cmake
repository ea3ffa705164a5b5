# After each build of a test program: asks it for its tests and writes one CTest entry for each.
# Variables: PROGRAM, OUTPUT, PREFIX, LABELS, TIMEOUT, ENVIRONMENT.
execute_process(COMMAND ${PROGRAM} --list OUTPUT_VARIABLE names RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR names STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} --list printed no tests (status ${status})")
endif()
string(REGEX REPLACE "\n$" "" names "${names}")
string(REPLACE "\n" ";" names "${names}")
set(script "")
foreach(name IN LISTS names)
  string(APPEND script "add_test([==[${PREFIX}.${name}]==] [==[${PROGRAM}]==] [==[${name}]==])\n"
    "set_tests_properties([==[${PREFIX}.${name}]==] PROPERTIES LABELS [==[${LABELS}]==] TIMEOUT ${TIMEOUT}"
    " SKIP_RETURN_CODE 77 ENVIRONMENT [==[${ENVIRONMENT}]==])\n")
endforeach()
file(WRITE ${OUTPUT} "${script}")
