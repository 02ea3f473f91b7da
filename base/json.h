// SPDX-License-Identifier: Apache-2.0
// Canonical JSON, and content ids made from it.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace remixer {

using Json = nlohmann::json;

// The canonical text of `value` by RFC 8785 (JSON Canonicalization Scheme): members sorted by
// UTF-16 code units, ECMAScript number formatting, no white space. Throws InputError on numbers
// that JSON cannot hold (NaN, infinities) and on integers beyond 2^53.
std::string canonical_json(const Json& value);

// SHA-256 (64 hexadecimal characters) of the canonical text: the identity of what `value`
// describes.
std::string content_id(const Json& value);

}  // namespace remixer
