# Run at build time: writes version.h with the git state and with the identity of the sources, only when they
# changed. The identity is a hash over the names and contents of all that the program is built from, so a mere
# rebuild keeps it and no change escapes it, committed or not.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --tags
  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(described "no git")
endif()

set(patterns CMakeLists.txt .cmake/*.cmake .cmake/*.in)
foreach(folder core theory data experiments plots)
  foreach(kind *.c *.h *.def *.gp *.in CMakeLists.txt)
    list(APPEND patterns ${folder}/${kind})
  endforeach()
endforeach()
list(TRANSFORM patterns PREPEND "${SOURCE_DIR}/")
file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR} ${patterns})
list(FILTER files EXCLUDE REGEX "^build|/build/")
list(SORT files)
set(lines "")
foreach(file IN LISTS files)
  file(SHA256 ${SOURCE_DIR}/${file} hash)
  string(APPEND lines "${hash} ${file}\n")
endforeach()
string(SHA256 sources "${lines}")

file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#define FQ_VERSION "@VERSION@"
#define FQ_GIT_DESCRIBE "@described@"
#define FQ_SOURCES_SHA256 "@sources@"
#define FQ_COMPILER "@COMPILER@"
#define FQ_COMPILE_FLAGS "@FLAGS@"
#define FQ_BUILD_TYPE "@BUILD_TYPE@"
]] @ONLY)
