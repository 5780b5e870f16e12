# The tables: whatever the project has many of (codecs, claims, experiments, verbs, figures, benchmarks,
# suites) is one file each and one line MACRO(argument, ...) in a .def file. This is the one place that
# reads such a table, so that nothing is listed twice.

# fq_table_rows(OUT TABLE): the rows' arguments, each row "first|second|...".
function(fq_table_rows out table)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${table})
  file(STRINGS ${table} lines REGEX "^FQ_[A-Z_]+\\(")
  set(rows "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^FQ_[A-Z_]+\\(([^)]*)\\).*" "\\1" row "${line}")
    string(REGEX REPLACE ", *" "|" row "${row}")
    list(APPEND rows "${row}")
  endforeach()
  set(${out} ${rows} PARENT_SCOPE)
endfunction()

# fq_table_files(OUT TABLE PATTERN): PATTERN once a row, {1}, {2}, ... replaced by the row's arguments;
# a file that several rows name is listed once.
function(fq_table_files out table pattern)
  fq_table_rows(rows ${table})
  set(files "")
  foreach(row IN LISTS rows)
    string(REPLACE "|" ";" arguments "${row}")
    set(file "${pattern}")
    set(number 0)
    foreach(argument IN LISTS arguments)
      math(EXPR number "${number} + 1")
      string(REPLACE "{${number}}" "${argument}" file "${file}")
    endforeach()
    list(APPEND files "${file}")
  endforeach()
  list(REMOVE_DUPLICATES files)
  set(${out} ${files} PARENT_SCOPE)
endfunction()

# fq_rooms(TARGET FOLDER...): the folders a target's files lie in; headers are included by bare name.
function(fq_rooms target)
  foreach(room IN LISTS ARGN)
    target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/${room}>)
  endforeach()
endfunction()
