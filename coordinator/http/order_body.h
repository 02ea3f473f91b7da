// SPDX-License-Identifier: Apache-2.0
// Reads the body of a request that changes something: these fields and no others, so that a
// misspelt option is refused rather than ignored.
#pragma once

#include "base/object_reader.h"
#include "coordinator/http/route_table.h"

namespace remixer::coordinator {

// `read` reads the fields, like describe() in base/object_reader.h. Throws InputError.
template <typename Read>
void read_body(const Json& body, Read read) {
  ObjectReader fields(body, "body");
  read(fields);
  fields.finish();
}

inline void read_empty(const Json& body) {
  read_body(body, [](ObjectReader&) {});
}

// A missing body means no fields.
inline Json body_or_empty(const Call& call) {
  return call.request.body.empty() ? Json::object() : call.body();
}

}  // namespace remixer::coordinator
