# Tests that are not GoogleTest programs: the scripts tests/*_test.py, and the scenarios.
if(NOT REVEILLE_TESTS)
  return()
endif()
# The environment's Python has the reference packages; any Python 3 runs the scripts themselves.
find_program(REVEILLE_PYTHON NAMES python python3 HINTS ${CMAKE_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH)
find_program(REVEILLE_PYTHON NAMES python3 REQUIRED)

file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.py)
foreach(script IN LISTS scripts)
  cmake_path(GET script STEM stem)
  add_test(NAME script.${stem} COMMAND ${REVEILLE_PYTHON} ${script} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(script.${stem} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS script
    ENVIRONMENT "REVEILLE_PROGRAM=$<TARGET_FILE:reveille>")
endforeach()
# It scans with all threads: beside another test their barriers would spin.
set_tests_properties(script.scan_test PROPERTIES RUN_SERIAL TRUE)

# The real model, whole studies, full disks, the pages' commands (`make test-slow`). They use all of the machine.
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/slow/*_test.py)
foreach(script IN LISTS scripts)
  cmake_path(GET script STEM stem)
  add_test(NAME slow.${stem} COMMAND ${REVEILLE_PYTHON} ${script} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(slow.${stem} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800 LABELS slow RUN_SERIAL TRUE
    ENVIRONMENT "REVEILLE_PROGRAM=$<TARGET_FILE:reveille>")
endforeach()

# A scenario is a folder with a file `cmd` (tests/scenarios.py); the words in its file `labels`,
# when it has one, become labels beside "scenario".
file(GLOB commands CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/scenarios/*/cmd)
foreach(command IN LISTS commands)
  cmake_path(GET command PARENT_PATH folder)
  cmake_path(GET folder FILENAME name)
  set(labels scenario)
  if(EXISTS ${folder}/labels)
    file(STRINGS ${folder}/labels more)
    list(APPEND labels ${more})
  endif()
  add_test(NAME scenario.${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMAND ${REVEILLE_PYTHON} tests/scenarios.py --program $<TARGET_FILE:reveille> ${name})
  set_tests_properties(scenario.${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 LABELS "${labels}")
endforeach()

# The report in a real browser; skipped where there is no Chromium.
add_executable(report_page ${CMAKE_SOURCE_DIR}/tests/report_page.cc)
target_link_libraries(report_page PRIVATE reveille_report)
add_test(NAME script.report_browser WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMAND ${REVEILLE_PYTHON} tests/report_browser.py --make $<TARGET_FILE:report_page>)
set_tests_properties(script.report_browser PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS script)

# A scan's page in a real browser, and its SARIF log against the schema.
add_executable(scan_page ${CMAKE_SOURCE_DIR}/tests/scan_page.cc)
target_link_libraries(scan_page PRIVATE reveille_report)
foreach(name scan_browser scan_sarif)
  add_test(NAME script.${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMAND ${REVEILLE_PYTHON} tests/${name}.py $<TARGET_FILE:scan_page>)
  set_tests_properties(script.${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS script)
endforeach()

# Replay scripts of findings, here without a model and in tests/slow with one.
if(TARGET reveille_scan)
  add_executable(scan_replay ${CMAKE_SOURCE_DIR}/tests/scan_replay.cc)
  target_link_libraries(scan_replay PRIVATE reveille_scan)
  add_test(NAME script.scan_replay WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMAND ${REVEILLE_PYTHON} tests/scan_replay.py $<TARGET_FILE:scan_replay>)
  set_tests_properties(script.scan_replay PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS script)
  set_tests_properties(slow.replay_test PROPERTIES ENVIRONMENT
    "REVEILLE_PROGRAM=$<TARGET_FILE:reveille>;REVEILLE_SCAN_REPLAY=$<TARGET_FILE:scan_replay>")
endif()

# The logs that we write, read back by the packages that they are for.
add_executable(log_samples ${CMAKE_SOURCE_DIR}/tests/log_samples.cc)
target_link_libraries(log_samples PRIVATE reveille_io)
foreach(name tfevents_read inspect_log_read)
  add_test(NAME script.${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMAND ${REVEILLE_PYTHON} tests/${name}.py $<TARGET_FILE:log_samples>)
  set_tests_properties(script.${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS script)
endforeach()
set_tests_properties(script.inspect_log_read PROPERTIES LABELS "script;slow")

# Chat templates against Python's jinja2, as transformers sets it up.
add_executable(template_tool ${CMAKE_SOURCE_DIR}/tests/template_tool.cc)
target_link_libraries(template_tool PRIVATE reveille_text)
add_test(NAME script.template_reference WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMAND ${REVEILLE_PYTHON} tests/template_reference.py --tool $<TARGET_FILE:template_tool>)
set_tests_properties(script.template_reference PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300 LABELS "script;reference")

# Comparisons with the packages whose results ours should equal (77: packages or data are not there).
add_executable(tokenize_tool ${CMAKE_SOURCE_DIR}/tests/tokenize_tool.cc)
target_link_libraries(tokenize_tool PRIVATE reveille_text)
add_test(NAME reference.tokenizers WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMAND ${REVEILLE_PYTHON} tests/tokenizer_reference.py --tool $<TARGET_FILE:tokenize_tool>)
set_tests_properties(reference.tokenizers PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 LABELS reference)
