// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/classifier.h"

#include "classify/judge.h"

namespace fuseboard {

Classification classify(const CallEvidence& evidence) noexcept {
  switch (evidence.channel) {
    case Channel::http:
      return classify_internal::judge_http(evidence);
    case Channel::sse:
      return classify_internal::judge_stream(evidence);
    case Channel::transport:
      return classify_internal::judge_transport(evidence);
    case Channel::mcp:
      return classify_internal::judge_rpc(evidence);
    case Channel::process:
      return classify_internal::judge_process(evidence);
    case Channel::message:
      break;
  }
  return classify_internal::judge_message(evidence);
}

}  // namespace fuseboard
