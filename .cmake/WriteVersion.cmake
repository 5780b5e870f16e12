# Run at build time: writes version.h with the git state, only when it changed.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --tags
  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(described "no git")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#define FQ_VERSION "@VERSION@"
#define FQ_GIT_DESCRIBE "@described@"
#define FQ_COMPILER "@COMPILER@"
#define FQ_COMPILE_FLAGS "@FLAGS@"
#define FQ_BUILD_TYPE "@BUILD_TYPE@"
]] @ONLY)
