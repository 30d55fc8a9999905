// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/authorities.h"

#include <utility>

#include "net/tls.h"

namespace fuseboard::net {

std::shared_ptr<const void> read_authorities(const TlsOptions& options) {
  if (options.ca_file.empty()) return nullptr;
  auto context = make_tls_context(options);
  if (!context) {
    throw_if_invalid({{.field = "tls.ca_file", .value = options.ca_file, .allowed = std::move(context.error())}});
  }
  return *std::move(context);
}

}  // namespace fuseboard::net
