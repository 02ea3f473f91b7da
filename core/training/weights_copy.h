// SPDX-License-Identifier: Apache-2.0
// A copy of a model's weights, which can also track them as a moving average.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/models/model.h"

namespace remixer::training {

// Copies of a model's parameters and buffers, with their names and on their devices. Starts at the
// model's values. One thread at a time.
class WeightsCopy {
 public:
  // Keeps a reference to the model, which must outlive it.
  explicit WeightsCopy(const models::Model& model);

  // Copies the model's current values.
  void take();
  // Moves each floating-point tensor a fraction of the way to the model's; copies the others.
  void approach(double fraction);
  // The object's own tensors, parameters first.
  const std::vector<models::Model::NamedTensor>& tensors() const { return tensors_; }
  // Writes a weights file with these values, atomically.
  void save(const std::filesystem::path& path,
            const std::map<std::string, std::string>& metadata) const;

 private:
  const models::Model& model_;
  std::vector<models::Model::NamedTensor> tensors_;
};

}  // namespace remixer::training
