// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace fuseboard::gateway {
namespace {

using telemetry::Exposition;

// The numbers of /proc/self/stat that follow the command's name, which may hold blanks and brackets itself. Counted as
// proc(5) does: the process's state, behind the name, is 3.
class StatFields {
 public:
  explicit StatFields(std::string_view stat) {
    const std::size_t name_end = stat.rfind(") ");
    if (name_end != std::string_view::npos) rest_ = stat.substr(name_end + 2);
  }
  std::optional<std::uint64_t> number(std::size_t field) const {
    std::string_view rest = rest_;
    for (std::size_t at = 3; at < field; ++at) {
      const std::size_t blank = rest.find(' ');
      if (blank == std::string_view::npos) return std::nullopt;
      rest.remove_prefix(blank + 1);
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || end == rest.data()) return std::nullopt;
    return value;
  }

 private:
  std::string_view rest_;
};

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Seconds since 1970 when the machine was started.
std::optional<double> boot_time() {
  constexpr std::string_view kLine = "\nbtime ";
  const std::string stat = read_file("/proc/stat");
  const std::size_t at = stat.find(kLine);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t seconds = 0;
  const char* const begin = stat.data() + at + kLine.size();
  if (std::from_chars(begin, stat.data() + stat.size(), seconds).ec != std::errc()) return std::nullopt;
  return static_cast<double>(seconds);
}

// To the microsecond, where /proc counts hundredths of a second.
std::optional<double> cpu_seconds() {
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) != 0) return std::nullopt;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void sample(Exposition& out, std::string_view name, Exposition::Type type, std::string_view help, double value) {
  out.family(name, type, help);
  out.sample(name, std::span<const telemetry::Label>(), value);
}

void sample(Exposition& out, std::string_view name, std::string_view help, std::uint64_t value) {
  out.family(name, Exposition::Type::gauge, help);
  out.sample(name, {}, value);
}

void write_descriptors(Exposition& out) {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error) {
    // One of them is what they are being counted with.
    const auto count = static_cast<std::uint64_t>(std::distance(begin(open), end(open)));
    sample(out, "process_open_fds", "Number of open file descriptors.", count > 0 ? count - 1 : 0);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    sample(out, "process_max_fds", "Maximum number of open file descriptors.", std::uint64_t{limit.rlim_cur});
  }
}

}  // namespace

std::optional<ProcessFigures> parse_process_stat(std::string_view stat, std::uint64_t ticks_a_second,
                                                 std::uint64_t page_bytes) {
  const StatFields fields(stat);
  const auto user = fields.number(14);
  const auto system = fields.number(15);
  const auto started = fields.number(22);
  const auto virtual_bytes = fields.number(23);
  const auto resident_pages = fields.number(24);
  if (!user || !system || !started || !virtual_bytes || !resident_pages || ticks_a_second == 0) return std::nullopt;
  const auto ticks = static_cast<double>(ticks_a_second);
  return ProcessFigures{.cpu_seconds = static_cast<double>(*user + *system) / ticks,
                        .resident_bytes = *resident_pages * page_bytes,
                        .virtual_bytes = *virtual_bytes,
                        .started_after_boot = static_cast<double>(*started) / ticks};
}

void write_process(Exposition& out) {
  const auto figures =
      parse_process_stat(read_file("/proc/self/stat"), static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)),
                         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  if (figures) {
    sample(out, "process_cpu_seconds_total", Exposition::Type::counter,
           "Total user and system CPU time spent in seconds.", cpu_seconds().value_or(figures->cpu_seconds));
    sample(out, "process_resident_memory_bytes", "Resident memory size in bytes.", figures->resident_bytes);
    sample(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", figures->virtual_bytes);
    if (const auto boot = boot_time()) {
      sample(out, "process_start_time_seconds", Exposition::Type::gauge,
             "Start time of the process since unix epoch in seconds.", *boot + figures->started_after_boot);
    }
  }
  write_descriptors(out);
}

}  // namespace fuseboard::gateway
