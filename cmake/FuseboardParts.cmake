# Third-party parts of the program, all from Debian 12 packages, as one interface target a module.

find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

function(_fuseboard_parts module)
  add_library(fuseboard_parts_${module} INTERFACE)
  target_link_libraries(fuseboard_parts_${module} INTERFACE ${ARGN})
  # Warnings inside the parts are not ours to mend.
  foreach(_part IN LISTS ARGN)
    get_target_property(_dirs ${_part} INTERFACE_INCLUDE_DIRECTORIES)
    if(_dirs)
      target_include_directories(fuseboard_parts_${module} SYSTEM INTERFACE ${_dirs})
    endif()
  endforeach()
endfunction()

_fuseboard_parts(net Boost::headers OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB PkgConfig::BROTLI PkgConfig::ZSTD fmt::fmt)
# One translation unit of net compiles Asio and Beast (net/asio_impl.cc); the others see declarations only.
target_compile_definitions(fuseboard_parts_net INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)
_fuseboard_parts(json simdjson::simdjson)
_fuseboard_parts(llm OpenSSL::Crypto fmt::fmt)
_fuseboard_parts(config yaml-cpp OpenSSL::Crypto fmt::fmt)
_fuseboard_parts(sim nlohmann_json::nlohmann_json fmt::fmt)
_fuseboard_parts(gateway nlohmann_json::nlohmann_json fmt::fmt spdlog::spdlog)
_fuseboard_parts(cli CLI11::CLI11 fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json)
