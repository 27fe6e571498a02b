# Files that become part of the program: one source file takes them in with .incbin, so that nothing is needed beside
# the executable.
#   reveille_asset(NAME FILE)              notes FILE, which the program asks for as NAME
#   reveille_embed(TARGET ROOM FUNCTION)   adds `const std::vector<Asset>& reveille::ROOM::FUNCTION()` to TARGET, which
#                                          holds what was noted in this scope; ROOM/FUNCTION.h declares it
macro(reveille_asset name file)
  string(MAKE_C_IDENTIFIER "${name}" symbol)
  string(APPEND asm_text
    "    \".balign 16\\n\"\n    \"reveille_asset_${symbol}_begin:\\n\"\n    \".incbin \\\"${file}\\\"\\n\"\n"
    "    \"reveille_asset_${symbol}_end:\\n\"\n    \".byte 0\\n\"\n")
  string(APPEND asm_globals
    "    \".global reveille_asset_${symbol}_begin\\n.global reveille_asset_${symbol}_end\\n\"\n")
  string(APPEND declarations
    "extern \"C\" const char reveille_asset_${symbol}_begin[], reveille_asset_${symbol}_end[];\n")
  string(APPEND table
    "      {\"${name}\", reveille_asset_${symbol}_begin, reveille_asset_${symbol}_end},\n")
  list(APPEND asset_files ${file})
endmacro()

macro(reveille_embed target room function)
  set(embedded ${CMAKE_BINARY_DIR}/generated/${room}_${function}.cc)
  set(asset_room ${room})
  set(asset_function ${function})
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embedded.cc.in ${embedded} @ONLY)
  # The compiler does not report .incbin files as dependencies.
  set_source_files_properties(${embedded} PROPERTIES OBJECT_DEPENDS "${asset_files}" SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${embedded})
endmacro()

# The YAML files of a folder: ROOM/FUNCTION.h declares what gives them.
function(reveille_embed_yaml target folder room function)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.yaml)
  foreach(file IN LISTS files)
    cmake_path(GET file FILENAME name)
    reveille_asset(${name} ${file})
  endforeach()
  reveille_embed(${target} ${room} ${function})
endfunction()
