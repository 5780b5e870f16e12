cmake_minimum_required(VERSION 3.25)
# Run at build time with FILES (separated by |), SYMBOL and OUTPUT: writes a C file that defines
#   const fq_embedded_text SYMBOL[] = {{"name", bytes, length}, ..., {0}};
# so that the program carries its gnuplot scripts and manifests wherever it is installed.
string(REPLACE "|" ";" files "${FILES}")
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR length "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char text_${number}[] = {\n${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", text_${number}, ${length}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT
"#include \"embedded_text.h\"\n\n@arrays@\nextern const fq_embedded_text @SYMBOL@[];\nconst fq_embedded_text @SYMBOL@[] = {\n@rows@    {0},\n};\n" @ONLY)
