# What a shared library shows: the functions that its public headers declare, under a version of their own;
# everything else is local. The headers are the only list.

# fq_declared_functions(OUT HEADER...): the names fq_*( of the headers, comments left out.
function(fq_declared_functions out)
  set(names "")
  foreach(header IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
    file(READ ${header} text)
    string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" " " text "${text}")
    string(REGEX MATCHALL "fq_[a-z0-9_]+[ \n]*\\(" found "${text}")
    string(REGEX REPLACE "[ \n]*\\(" "" found "${found}")
    list(APPEND names ${found})
  endforeach()
  list(REMOVE_DUPLICATES names)
  list(SORT names)
  set(${out} ${names} PARENT_SCOPE)
endfunction()

# fq_export_only(TARGET VERSION HEADER... [PRIVATE HEADER...]): gives a shared library a linker script that exports
# what the headers declare; of private headers under VERSION_PRIVATE, for libraries of this project alone. Where the
# linker knows no such scripts, everything stays visible.
function(fq_export_only target version)
  if(APPLE OR WIN32)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 2 own "" "" "PRIVATE")
  fq_declared_functions(names ${own_UNPARSED_ARGUMENTS})
  set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
  list(JOIN names ";\n  " lines)
  set(private "")
  if(own_PRIVATE)
    list(TRANSFORM own_PRIVATE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    fq_declared_functions(names ${own_PRIVATE})
    list(JOIN names ";\n  " private)
    set(private "${version}_PRIVATE {\n  global:\n  ${private};\n};\n")
  endif()
  file(CONFIGURE OUTPUT ${script} CONTENT "${version} {\n  global:\n  @lines@;\n  local: *;\n};\n@private@" @ONLY)
  target_link_options(${target} PRIVATE LINKER:--version-script=${script})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})
endfunction()
