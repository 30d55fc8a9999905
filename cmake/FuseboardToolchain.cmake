# Compiler settings that hold for every target of this project, and for nobody who embeds it.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  find_program(FUSEBOARD_CCACHE ccache)
  if(FUSEBOARD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${FUSEBOARD_CCACHE})
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options(-fuse-ld=lld)
  endif()
endif()

find_package(Threads REQUIRED)

# Every target of ours links this one privately.
add_library(fuseboard_flags INTERFACE)
target_compile_options(fuseboard_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(fuseboard_flags INTERFACE -Wthread-safety -Wthread-safety-beta -Wno-missing-designated-field-initializers)
else()
  # g++ 12 reports designated initializers that rely on defaults, and std::optional internals as maybe uninitialized.
  target_compile_options(fuseboard_flags INTERFACE -Wno-missing-field-initializers -Wno-maybe-uninitialized)
endif()
if(FUSEBOARD_WERROR)
  target_compile_options(fuseboard_flags INTERFACE -Werror)
endif()

if(FUSEBOARD_SANITIZE)
  add_compile_options(-fsanitize=${FUSEBOARD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FUSEBOARD_SANITIZE})
  if(FUSEBOARD_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # This check opens a pipe to see whether memory can be read, and so cries wolf in tests that leave no descriptor free.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()

if(FUSEBOARD_PROFILE_INTO)
  add_compile_options(-fprofile-generate=${FUSEBOARD_PROFILE_INTO} -fprofile-update=atomic)
  add_link_options(-fprofile-generate=${FUSEBOARD_PROFILE_INTO})
endif()
if(FUSEBOARD_PROFILE)
  # What the profiled calls did not reach is optimised as ever.
  add_compile_options(-fprofile-use=${FUSEBOARD_PROFILE} -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date)
endif()
