// SPDX-License-Identifier: Apache-2.0
// How fast a machine trains, evaluates and labels: measured where a rehearsal or `bench step` was
// run on such a machine, else from stated tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/spec/architectures.h"
#include "experiments/spec/cell.h"

namespace remixer::experiments {

// What tasks are to run on. One worker works on one task.
struct Machine {
  bool gpu = false;
  std::string model{};     // of a GPU, as Slurm's gres calls it: "a100"; empty: not said
  int64_t devices = 1;     // GPUs of a worker; of a CPU machine, its processors
  int64_t processors = 1;  // of a worker
  int64_t workers = 1;     // at once
};

// How much one unit does in a second: a GPU or a processor.
struct Rate {
  double images = 0;  // a second; 0: not known
  std::string basis;  // "measured: ..." or "stated: ..."
};

class Rates {
 public:
  explicit Rates(Machine machine) : machine_(std::move(machine)) {}

  // Adds what was measured: a rehearsal's record, or what `remixer bench step --format json`
  // prints. `from` names it for people. Throws InputError where it is neither.
  void add(const Json& record, const std::string& from);

  // Images a second of one GPU or processor.
  Rate training(const Cell& cell) const;
  Rate evaluation(const Cell& cell) const;
  // Of one processor: labelers run on those. `pinned`: the grid's name for its weights;
  // `image_size`: of the images, 0 where they are of many sizes.
  Rate labelling(const Json& labeler, const std::string& pinned, int64_t image_size) const;
  // Of a label file.
  double bytes_a_map(const Json& labeler) const;

  const Machine& machine() const { return machine_; }

 private:
  struct Measured {
    std::string key;
    double images = 0;
    std::string basis;
    bool gpu = false;
    std::string model;
  };
  const Measured* find(const std::string& key, bool on_device) const;
  Machine machine_;
  std::vector<Measured> measured_;
  std::vector<std::pair<std::string, double>> bytes_;  // by labeler, measured
};

// Multiplications with an addition of one image's forward pass, about; 0 for an extension's model.
double multiply_adds(const Architecture& architecture, int64_t image_size);
// Weights, about.
double parameters(const Architecture& architecture);

}  // namespace remixer::experiments
