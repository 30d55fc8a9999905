// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

namespace fuseboard::config::testing {

// Of P-256, self-signed, for the name "t".
inline constexpr std::string_view kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbzCCARWgAwIBAgIUGPihLy7rOqHP365gesK4uJIShEYwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBdDAgFw0yNjExMzAwNDU3MDFaGA8yMTI2MTEwNjA0NTcwMVow\n"
    "DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAgZlnZxfyVc\n"
    "qPMyZrH9l1u/hfBNaJjaEFsTWZSyr78b2jjeCYEiGHHJMBcpbk7egHuUSntIqLCX\n"
    "pdsZT1YTR8KjUzBRMB0GA1UdDgQWBBTeSSR7KZkGjydGkaIBWUhRRkD5zjAfBgNV\n"
    "HSMEGDAWgBTeSSR7KZkGjydGkaIBWUhRRkD5zjAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0gAMEUCIQC2DPOESSRW4djhCoMeypge7b40ZHLfoHNQ98k//JNk\n"
    "eAIgBAfDDhj0zdbvVYK/knd3Jg3wl5eCMfvIJH0tp4Nczgg=\n"
    "-----END CERTIFICATE-----\n";

}  // namespace fuseboard::config::testing
