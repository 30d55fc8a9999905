# Run at build time: writes OUTPUT with the commit that is being built, and only when it has changed.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE_DIR}
                OUTPUT_VARIABLE _commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE _result)
if(NOT _result EQUAL 0 OR NOT _commit)
  set(_commit "unknown")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "#pragma once

#include <string_view>

namespace fuseboard::cli {
inline constexpr std::string_view kCommit = \"@_commit@\";
}
")
