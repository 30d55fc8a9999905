// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/openai_responses/response.h"

#include "llm/error_details.h"
#include "llm/seen_text.h"
#include "llm/usage_counts.h"

namespace fuseboard::llm {

ResponseObject read_response(const json::Value& object) {
  ResponseObject response;
  std::string status;
  std::string reason;
  object.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "id") response.id = value.cut_text(kMaxNameBytes);
    if (name == "model") response.model = value.cut_text(kMaxNameBytes);
    if (name == "created_at") response.created = value.integer<std::int64_t>().value_or(0);
    if (name == "status") status = value.cut_text(kMaxNameBytes);
    if (name == "usage") response.usage = read_usage(value).value_or(Usage{});
    if (name == "incomplete_details") {
      value.each_member([&](std::string_view field, const json::Value& member) {
        if (field == "reason") reason = member.cut_text(kMaxNameBytes);
      });
    }
    if (name == "output") {
      response.has_output = value.is_array();
      response.seen = {};
      value.each_element([&](const json::Value& item) {
        ++response.seen.pieces;
        response.seen.bytes += item_bytes(item);
      });
    }
    if (name == "error" && value.has_content()) response.failed = true;
  });
  response.failed = response.failed || status == "failed";
  if (status == "completed") response.finish_reason = status;
  if (status == "incomplete") response.finish_reason = reason.empty() ? status : reason;
  return response;
}

}  // namespace fuseboard::llm
