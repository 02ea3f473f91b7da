// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/label_file_reader.h"

#include "base/error.h"

namespace remixer::labelcache {

uint32_t LabelFileReader::number(std::string_view sample_id) const {
  const auto found = file_->find(sample_id);
  if (!found) fail_input("{}: no labels for sample {}", path_.string(), sample_id);
  return *found;
}

void LabelFileReader::verify() const {
  ContentHash content(provenance().shape);
  for (uint32_t sample = 0; sample < samples(); ++sample) {
    const std::string name = id(sample);
    if (file_->find(name) != sample) {
      fail_input("{}: its index does not lead to sample {}; make the labels again", path_.string(),
                 name);
    }
    content.add(name, file_->record(sample));
    file_->map(sample);
  }
  if (content.finish() != content_sha256()) {
    fail_input("{}: the labels do not have the hash that the file records; make them again",
               path_.string());
  }
}

}  // namespace remixer::labelcache
