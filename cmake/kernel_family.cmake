# SPDX-License-Identifier: Apache-2.0
include(isa)

# add_kernel_family(<name> ISAS <stem>...) adds kernels/<name>/ to the library bitpose_kernels: the
# shared sources (<name>.cc and, where present, pack.cc) and one file per instruction set, and to
# bitpose_kernel_checks its check.cc and workloads.cc. A source on
# disk that the call does not account for is an error, so nothing is dropped silently.
function(add_kernel_family name)
  cmake_parse_arguments(PARSE_ARGV 1 FAMILY "" "" "ISAS")
  set(directory ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  set(accounted ${directory}/${name}.cc)
  foreach(shared pack check workloads)
    if(EXISTS ${directory}/${shared}.cc)
      list(APPEND accounted ${directory}/${shared}.cc)
    endif()
  endforeach()
  target_sources(bitpose_kernels PRIVATE ${directory}/${name}.cc)
  if(EXISTS ${directory}/pack.cc)
    target_sources(bitpose_kernels PRIVATE ${directory}/pack.cc)
  endif()
  target_sources(bitpose_kernel_checks PRIVATE ${directory}/check.cc ${directory}/workloads.cc)

  foreach(stem IN LISTS FAMILY_ISAS)
    if(NOT stem IN_LIST BITPOSE_ISA_STEMS)
      message(FATAL_ERROR "kernel family ${name}: '${stem}' is not in cmake/isa.cmake (${BITPOSE_ISA_STEMS})")
    endif()
    set(source ${directory}/${stem}.cc)
    list(APPEND accounted ${source})
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "${BITPOSE_ISA_${stem}_PROCESSOR}")
      target_sources(bitpose_kernels PRIVATE ${source})
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${BITPOSE_ISA_${stem}_FLAGS}")
    endif()
  endforeach()

  file(GLOB present CONFIGURE_DEPENDS ${directory}/*.cc)
  foreach(source IN LISTS present)
    if(NOT source IN_LIST accounted)
      message(FATAL_ERROR "${source} is not built: add its stem to add_kernel_family(${name} ISAS ...) or delete it")
    endif()
  endforeach()
endfunction()

# Defines BITPOSE_HAVE_<STEM> for every instruction set that this build compiles.
function(bitpose_define_isas target)
  foreach(stem IN LISTS BITPOSE_ISA_STEMS)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "${BITPOSE_ISA_${stem}_PROCESSOR}")
      string(TOUPPER ${stem} upper)
      target_compile_definitions(${target} PUBLIC BITPOSE_HAVE_${upper})
    endif()
  endforeach()
endfunction()
