# ccache and mold when they are there, sanitizers when asked for.
find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness lets ccache serve files that use the precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Segments on pages of their own: without it mold 1.10 may begin the read-only relocations at a page that is not mapped,
  # when a one-byte thread-local variable stands right behind the code, and the program does not start.
  add_link_options(-fuse-ld=mold -Wl,-z,separate-code)
endif()

if(REVEILLE_SANITIZE)
  add_compile_options(-fsanitize=${REVEILLE_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${REVEILLE_SANITIZE})
endif()

# libFuzzer's coverage in everything that a fuzz target links. vptr would ask libtorch for type
# information that it does not export.
if(REVEILLE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined -fno-sanitize=vptr)
endif()
