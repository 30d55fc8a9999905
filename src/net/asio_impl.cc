// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Asio and Beast, compiled once; every other file sees declarations (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
