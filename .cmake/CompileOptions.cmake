# Interface targets that every fibquant target links: nothing global is touched.
# (clang counts NAN and INFINITY as float constants under -Wdouble-promotion: gcc alone checks that.)
add_library(fq_warnings INTERFACE)
target_compile_options(fq_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<C_COMPILER_ID:GNU>:-Wdouble-promotion> -Wstrict-prototypes
  -Wmissing-prototypes -Wcast-qual -Wvla -Wundef -Wformat=2
  $<$<BOOL:${FQ_WERROR}>:-Werror>)

# Value-changing contraction off: where a fused multiply-add is meant, the code says fma.
add_library(fq_codec_options INTERFACE)
target_compile_options(fq_codec_options INTERFACE -ffp-contract=off -fno-math-errno -fno-trapping-math)
target_compile_definitions(fq_codec_options INTERFACE _XOPEN_SOURCE=700)
if(FQ_SANITIZE)
  target_compile_options(fq_codec_options INTERFACE
    -fsanitize=${FQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(fq_codec_options INTERFACE -fsanitize=${FQ_SANITIZE})
endif()
target_link_libraries(fq_codec_options INTERFACE m)

# The same with OpenMP's threads, for all but the codec library, which has none.
add_library(fq_options INTERFACE)
target_link_libraries(fq_options INTERFACE fq_codec_options)
if(FQ_HAVE_OPENMP)
  target_link_libraries(fq_options INTERFACE OpenMP::OpenMP_C)
else()
  # Loops marked for vector units stay so; what is marked for threads runs on one.
  target_compile_options(fq_options INTERFACE -fopenmp-simd -Wno-unknown-pragmas)
endif()

# fq_embed_texts(TARGET SYMBOL file...): adds to TARGET a generated table of the files' texts.
function(fq_embed_texts target symbol)
  set(files ${ARGN})
  list(TRANSFORM files PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  string(JOIN "|" joined ${files})
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c")
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${joined}" -DSYMBOL=${symbol} -DOUTPUT=${output}
      -P ${CMAKE_SOURCE_DIR}/.cmake/EmbedTexts.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/.cmake/EmbedTexts.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
