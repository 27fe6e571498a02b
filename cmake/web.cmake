# The pages' own files (web/) and the Vega bundle become part of the program (cmake/embed.cmake): a report needs
# nothing beside the executable.
find_program(REVEILLE_PYTHON NAMES python python3 HINTS ${CMAKE_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH
  DOC "the Python that holds vl-convert-python")
find_program(REVEILLE_PYTHON NAMES python3)

function(reveille_embed_web target)
  execute_process(COMMAND ${REVEILLE_PYTHON} -c "import importlib.util as u; print(u.find_spec('vl_convert').origin)"
    OUTPUT_VARIABLE vl_convert_file OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "The Python package vl-convert-python is not there (asked '${REVEILLE_PYTHON}'); reports draw "
      "their charts with the Vega bundle that it carries. Run 'make build', which installs it into .venv, or "
      "'${REVEILLE_PYTHON} -m pip install vl-convert-python', or set REVEILLE_PYTHON to a Python that has it.")
  endif()
  set(generated ${CMAKE_BINARY_DIR}/generated/web)
  set(bundle ${generated}/vega.js)
  add_custom_command(OUTPUT ${bundle}
    COMMAND ${REVEILLE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/vega_bundle.py ${bundle}
    DEPENDS ${CMAKE_SOURCE_DIR}/tools/vega_bundle.py ${vl_convert_file}
    COMMENT "Bundling Vega" VERBATIM)

  reveille_asset(vega.js ${bundle})
  file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*.html ${CMAKE_SOURCE_DIR}/web/*.css
    ${CMAKE_SOURCE_DIR}/web/*.js ${CMAKE_SOURCE_DIR}/web/charts/*.json)
  foreach(file IN LISTS pages)
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/web ${file})
    reveille_asset(${name} ${file})
  endforeach()

  reveille_embed(${target} report assets)
endfunction()
