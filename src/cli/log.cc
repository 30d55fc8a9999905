// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <mutex>
#include <utility>

namespace fuseboard::cli {
namespace {

class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(std::shared_ptr<gateway::LineWriter> writer) : writer_(std::move(writer)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_->write({line.data(), line.size()});
  }
  void flush_() override {}  // every line is on its way already

  const std::shared_ptr<gateway::LineWriter> writer_;
};

std::string lost_notice(std::uint64_t lines) {
  return fmt::format("-------- {} log {} lost here: nobody read stdout\n", lines,
                     lines == 1 ? "line was" : "lines were");
}

void set_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("fuseboard", std::move(sink));
  logger->set_pattern("%H:%M:%S %v");
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

Log::Log()
    : writer_(std::make_shared<gateway::LineWriter>(STDOUT_FILENO,
                                                    gateway::LineWriterOptions{.lost_notice = lost_notice})) {
  set_logger(std::make_shared<LineSink>(writer_));
}

Log::~Log() {
  set_logger(std::make_shared<spdlog::sinks::null_sink_mt>());
  writer_->close(kFlushPatience);
}

}  // namespace fuseboard::cli
