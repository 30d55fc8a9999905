// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <chrono>

#include "json/string.h"
#include "llm/anthropic/messages.h"

namespace fuseboard::llm {
namespace {

// RFC 3339, in UTC.
std::string timestamp(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds{unix_seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

void append_anthropic_model(std::string& out, const ModelEntry& model) {
  out += R"({"type":"model","id":)";
  json::append_string(out, model.id);
  out += R"(,"display_name":)";
  json::append_string(out, model.id);
  out.append(R"(,"created_at":")").append(timestamp(model.created)).append("\"}");
}

}  // namespace

std::string anthropic_models(std::span<const ModelEntry> models) {
  std::string out = R"({"data":[)";
  for (const ModelEntry& model : models) {
    if (&model != models.data()) out += ',';
    append_anthropic_model(out, model);
  }
  out += R"(],"has_more":false,"first_id":)";
  json::append_string_or_null(out, models.empty() ? "" : models.front().id);
  out += R"(,"last_id":)";
  json::append_string_or_null(out, models.empty() ? "" : models.back().id);
  out += '}';
  return out;
}

std::string anthropic_model(const ModelEntry& model) {
  std::string out;
  append_anthropic_model(out, model);
  return out;
}

}  // namespace fuseboard::llm
