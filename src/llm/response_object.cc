// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/response_object.h"

#include "llm/answer_parts.h"

namespace fuseboard::llm {

ResponseObject read_response(simdjson::simdjson_result<ondemand::object> object) {
  ResponseObject response;
  std::string status;
  std::string reason;
  for_each_member(object, [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "id") response.id = text_of(value, kMostNameBytes);
    if (name == "model") response.model = text_of(value, kMostNameBytes);
    if (name == "created_at" && value.get_int64().get(response.created)) response.created = 0;
    if (name == "status") status = text_of(value, kMostNameBytes);
    if (name == "usage") response.usage = read_usage(value).value_or(Usage{});
    if (name == "incomplete_details") {
      for_each_member(value.get_object(), [&](ondemand::raw_json_string field, ondemand::value member) {
        if (field == "reason") reason = text_of(member, kMostNameBytes);
      });
    }
    if (name == "output") {
      ondemand::json_type type{};
      response.has_output = !value.type().get(type) && type == ondemand::json_type::array;
    }
    if (name == "error" && has_content(value)) response.failed = true;
  });
  response.failed = response.failed || status == "failed";
  if (status == "completed") response.finish_reason = status;
  if (status == "incomplete") response.finish_reason = reason.empty() ? status : reason;
  return response;
}

}  // namespace fuseboard::llm
