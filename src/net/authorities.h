// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whom TLS clients trust, read before any of them is made.
#pragma once

#include <memory>

#include "net/client.h"

namespace fuseboard::net {

// What the options trust. While it lives, a client with the same options is made without reading a file, so that can no
// longer fail. Null for the system's authorities, which are read when a server first asks for TLS. Any thread; throws
// InvalidOptions for a ca_file that cannot be read.
std::shared_ptr<const void> read_authorities(const TlsOptions& options);

}  // namespace fuseboard::net
