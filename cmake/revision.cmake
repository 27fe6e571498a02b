# generated/revision.h: what base/version.cc says that this program was built from. Looked up at
# every build, written only when it changed, so that only version.cc is compiled again.
if(CMAKE_SCRIPT_MODE_FILE)
  set(revision unknown)
  find_program(GIT git)
  if(GIT AND EXISTS ${SOURCE}/.git)
    # --no-optional-locks: this must not get in the way of a git command of the user's.
    execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} rev-parse --short=12 HEAD
      OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
      set(revision ${head})
      execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} status --porcelain --untracked-files=no
        OUTPUT_VARIABLE changed ERROR_QUIET)
      if(changed)
        string(APPEND revision -modified)
      endif()
    endif()
  endif()
  file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
// Written by cmake/revision.cmake.
#pragma once
#define REVEILLE_VERSION "@VERSION@"
#define REVEILLE_REVISION "@revision@"
#define REVEILLE_LIBTORCH "@TORCH@"
]] @ONLY)
  return()
endif()

add_custom_target(reveille_revision
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUTPUT=${CMAKE_BINARY_DIR}/generated/revision.h
          -DVERSION=${PROJECT_VERSION} -DTORCH=${REVEILLE_TORCH_VERSION} -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/revision.h
  COMMENT "Revision" VERBATIM)
foreach(target reveille_base reveille_base_plain)
  if(TARGET ${target})
    add_dependencies(${target} reveille_revision)
  endif()
endforeach()
