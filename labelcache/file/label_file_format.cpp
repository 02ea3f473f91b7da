// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/label_file_format.h"

#include <limits>

#include "base/error.h"
#include "labelcache/file/bytes.h"

namespace remixer::labelcache {

Json to_json(const Provenance& provenance) {
  return {{"labeler", provenance.labeler},
          {"weights_sha256", provenance.weights_sha256},
          {"dataset_sha256", provenance.dataset_sha256},
          {"split", provenance.split},
          {"images", provenance.images},
          {"channels", provenance.shape.channels},
          {"top_k", provenance.shape.top_k}};
}

Provenance provenance_from_json(std::string_view text) {
  Provenance provenance;
  try {
    const auto json = Json::parse(text);
    provenance.labeler = json.at("labeler");
    provenance.weights_sha256 = json.at("weights_sha256");
    provenance.dataset_sha256 = json.at("dataset_sha256");
    provenance.split = json.at("split");
    provenance.images = json.at("images");
    provenance.shape.channels = json.at("channels");
    provenance.shape.top_k = json.at("top_k");
  } catch (const Json::exception& error) {
    fail_input("provenance that cannot be read: {}", error.what());
  }
  const MapShape& shape = provenance.shape;
  if (shape.channels < 1 || shape.channels > std::numeric_limits<uint16_t>::max() + 1 ||
      shape.top_k < 0 || shape.top_k > shape.channels) {
    fail_input("impossible maps, top {} of {} channels", shape.top_k, shape.channels);
  }
  return provenance;
}

std::string encode_prologue(const Provenance& provenance) {
  const std::string text = canonical_json(to_json(provenance));
  Prologue prologue;
  prologue.provenance_bytes = static_cast<uint32_t>(text.size());
  prologue.provenance_checksum = xxh3(text);
  std::string bytes;
  append(bytes, prologue);
  return bytes + text;
}

ContentHash::ContentHash(const MapShape& shape) {
  std::string bytes;
  append(bytes, static_cast<uint32_t>(shape.channels));
  append(bytes, static_cast<uint32_t>(shape.top_k));
  hash_.update(bytes);
}

void ContentHash::add(std::string_view id, std::string_view record) {
  std::string length;
  append(length, static_cast<uint32_t>(id.size()));
  hash_.update(length);
  hash_.update(id);
  hash_.update(record);
}

}  // namespace remixer::labelcache
