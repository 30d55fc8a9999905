// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <iterator>

#include "json/string.h"
#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {
namespace {

void append_model(std::string& out, const ModelEntry& model) {
  out += R"({"id":)";
  json::append_string(out, model.id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"model","created":{},"owned_by":)", model.created);
  json::append_string(out, model.owned_by);
  out += '}';
}

}  // namespace

std::string openai_models(std::span<const ModelEntry> models) {
  std::string out = R"({"object":"list","data":[)";
  for (const ModelEntry& model : models) {
    if (&model != models.data()) out += ',';
    append_model(out, model);
  }
  out += "]}";
  return out;
}

std::string openai_model(const ModelEntry& model) {
  std::string out;
  append_model(out, model);
  return out;
}

}  // namespace fuseboard::llm
