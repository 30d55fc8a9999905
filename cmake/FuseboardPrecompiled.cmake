# Precompiled headers. The sanitizers' presets use them, because most of their time goes into reading the same headers;
# the others do without, and so show a file that does not include what it uses.

option(FUSEBOARD_PRECOMPILE "Precompile the standard library's headers and those of the test frameworks" OFF)

set(FUSEBOARD_PRECOMPILED_library
    <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <expected> <functional> <map> <memory> <mutex> <optional> <span>
    <string> <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector>)
set(FUSEBOARD_PRECOMPILED_test ${FUSEBOARD_PRECOMPILED_library} <future> <ostream> <set> <sstream> <gmock/gmock.h> <gtest/gtest.h>
    <rapidcheck.h>)

# fuseboard_precompile(<target> library|test): targets of one kind share what the first of them has compiled, so their
# compile options must be the same.
function(fuseboard_precompile target kind)
  if(NOT FUSEBOARD_PRECOMPILE)
    return()
  endif()
  get_property(_first GLOBAL PROPERTY FUSEBOARD_PRECOMPILED_IN_${kind})
  if(_first)
    target_precompile_headers(${target} REUSE_FROM ${_first})
  else()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # So that ccache may serve it: by default clang refuses one that is older than what it includes.
      target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
    target_precompile_headers(${target} PRIVATE ${FUSEBOARD_PRECOMPILED_${kind}})
    set_property(GLOBAL PROPERTY FUSEBOARD_PRECOMPILED_IN_${kind} ${target})
  endif()
endfunction()
