# Ball arithmetic: FLINT >= 3 carries Arb itself (flint/arb.h in libflint); before that it is Arb 2
# (arb.h in libarb, which Debian calls libflint-arb) beside FLINT 2. Defines the target Arb::Arb and
# the compile definition FQ_ARB_IN_FLINT (1 or 0), which theory/ uses to pick the header.
find_path(FLINT_INCLUDE_DIR flint/flint.h)
find_library(FLINT_LIBRARY flint)
find_path(ARB_IN_FLINT_INCLUDE_DIR flint/arb.h)
find_path(ARB2_INCLUDE_DIR arb.h)
find_library(ARB2_LIBRARY NAMES flint-arb arb)
find_library(MPFR_LIBRARY mpfr)
find_library(GMP_LIBRARY gmp)

include(FindPackageHandleStandardArgs)
if(ARB_IN_FLINT_INCLUDE_DIR)
  find_package_handle_standard_args(Arb
    REQUIRED_VARS FLINT_LIBRARY ARB_IN_FLINT_INCLUDE_DIR MPFR_LIBRARY GMP_LIBRARY)
  set(_arb_libraries ${FLINT_LIBRARY})
  set(_arb_in_flint 1)
else()
  find_package_handle_standard_args(Arb
    REQUIRED_VARS FLINT_LIBRARY FLINT_INCLUDE_DIR ARB2_LIBRARY ARB2_INCLUDE_DIR MPFR_LIBRARY GMP_LIBRARY)
  set(_arb_libraries ${ARB2_LIBRARY} ${FLINT_LIBRARY})
  set(_arb_in_flint 0)
endif()
if(Arb_FOUND AND NOT TARGET Arb::Arb)
  add_library(Arb::Arb INTERFACE IMPORTED)
  target_link_libraries(Arb::Arb INTERFACE ${_arb_libraries} ${MPFR_LIBRARY} ${GMP_LIBRARY})
  target_compile_definitions(Arb::Arb INTERFACE FQ_ARB_IN_FLINT=${_arb_in_flint})
  target_include_directories(Arb::Arb SYSTEM INTERFACE ${FLINT_INCLUDE_DIR} ${ARB2_INCLUDE_DIR})
endif()
