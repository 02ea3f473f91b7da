// SPDX-License-Identifier: Apache-2.0
#include "labelcache/labelers/label_job.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "core/training/precision.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/file/label_file_writer.h"
#include "labelcache/file/partial_file.h"
#include "labelcache/labelers/label_pin.h"
#include "labelcache/labelers/labeler.h"
#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {
namespace {

using training::Communicator;

// During its lifetime, ATen uses one thread, and batches run on several: sums are the same for any
// number of threads, and a network's small layers need no synchronisation.
class OneThreadEach {
 public:
  OneThreadEach() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThreadEach() { at::set_num_threads(before_); }
  OneThreadEach(const OneThreadEach&) = delete;
  OneThreadEach& operator=(const OneThreadEach&) = delete;
  int before() const { return before_; }

 private:
  int before_;
};

// A rank's result of a step: its bytes, or why it cannot continue. If a rank just threw, the others
// would wait for it.
enum class Verdict : char { kDone, kBadInput, kFailed };

template <typename Work>
std::vector<std::string> all_gather(Communicator& ranks, Work&& work) {
  std::string message;
  try {
    message = static_cast<char>(Verdict::kDone) + work();
  } catch (const InputError& error) {
    message = static_cast<char>(Verdict::kBadInput) + std::string(error.what());
  } catch (const std::exception& error) {
    message = static_cast<char>(Verdict::kFailed) + std::string(error.what());
  }
  std::vector<std::string> messages = ranks.all_gather(message);
  for (std::string& text : messages) {
    const auto verdict = static_cast<Verdict>(text.at(0));
    text.erase(0, 1);
    if (verdict == Verdict::kBadInput) throw InputError(text);
    if (verdict == Verdict::kFailed) throw Error(text);
  }
  return messages;
}

struct Range {
  int64_t begin = 0, end = 0;
};

// A rank's results in one round.
struct Labelled {
  std::string records;     // in order
  std::string unreadable;  // why images could not be read, one per line
  std::string message() const {
    std::string bytes;
    append(bytes, static_cast<uint32_t>(unreadable.size()));
    return bytes + unreadable + records;
  }
  static Labelled from(std::string_view message) {
    const auto size = load<uint32_t>(message, 0);
    return {std::string(message.substr(sizeof size + size)),
            std::string(message.substr(sizeof size, size))};
  }
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    lines.push_back(text.substr(0, end));
  }
  return lines;
}

// One batch: samples [range.begin, range.end).
Labelled label_batch(const data::Dataset& dataset, const Labeler& labeler, Range range,
                     bool skip_unreadable) {
  std::vector<LabelInput> inputs;
  std::vector<bool> readable;
  Labelled labelled;
  for (int64_t i = range.begin; i < range.end; ++i) {
    const data::Sample& sample = dataset.samples()[static_cast<size_t>(i)];
    readable.push_back(true);
    try {
      LabelInput input{sample, {}, {}};
      if (labeler.reads_images()) input.image = data::read_image(dataset.image_path(sample));
      if (labeler.reads_masks() && !sample.mask.empty()) {
        input.mask = read_true_mask(dataset.mask_path(sample));
      }
      inputs.push_back(std::move(input));
    } catch (const InputError& error) {
      if (!skip_unreadable) throw;
      readable.back() = false;
      labelled.unreadable += std::string(error.what()) + "\n";
    }
  }
  std::vector<data::LabelMap> maps;
  if (!inputs.empty()) maps = labeler.label(inputs);
  size_t next = 0;
  for (const bool good : readable) {
    labelled.records +=
        encode_record(good ? maps.at(next++) : empty_map(labeler.shape()), labeler.shape());
  }
  return labelled;
}

// Labels samples [range.begin, range.end), `batch` images at a time. Batches always begin at
// multiples of `batch`, so each image is always batched with the same others.
Labelled label_range(const data::Dataset& dataset, const Labeler& labeler, Range range,
                     bool skip_unreadable, unsigned threads) {
  const int64_t batch = labeler.batch();
  const int64_t batches = (range.end - range.begin + batch - 1) / batch;
  std::vector<Labelled> parts(static_cast<size_t>(batches));
  parallel_for(batches, threads, [&](int64_t number) {
    const int64_t begin = range.begin + number * batch, end = std::min(begin + batch, range.end);
    parts[static_cast<size_t>(number)] =
        label_batch(dataset, labeler, {begin, end}, skip_unreadable);
  });
  Labelled all;
  for (const Labelled& part : parts) {
    all.records += part.records;
    all.unreadable += part.unreadable;
  }
  return all;
}

// Copies an earlier run's partial file if it is larger than this job's own.
void adopt_partial(const LabelJob& job) {
  namespace fs = std::filesystem;
  const auto bytes = [](const fs::path& file) -> uint64_t {
    std::error_code code;
    const auto size = fs::file_size(file, code);
    return code ? 0 : size;
  };
  const fs::path own = PartialFile::name_of(job.output);
  fs::path best = own;
  for (const fs::path& output : job.resume_from) {
    const fs::path partial = PartialFile::name_of(output);
    if (bytes(partial) > bytes(best)) best = partial;
  }
  if (best == own) return;
  std::error_code code;
  fs::create_directories(own.parent_path(), code);
  fs::copy_file(best, own, fs::copy_options::overwrite_existing, code);
  // If copying fails, the job only takes longer; a torn copy ends at its last whole block.
}

// A rank's share of one round: equal runs of whole batches, in rank order.
Range share(int64_t begin, int64_t total, int64_t batch, int64_t batches_a_rank, int rank,
            int size) {
  const int64_t left = (total - begin + batch - 1) / batch;
  const int64_t each = std::min(batches_a_rank, (left + size - 1) / size) * batch;
  const auto at = [&](int64_t part) { return std::min(begin + part * each, total); };
  return {at(rank), at(rank + 1)};
}

// For a labeler that is a set of label files: rank 0 copies the split's.
LabelOutcome take_over_labels(const LabelJob& job, const std::string& pin,
                              Communicator& communicator) {
  const auto start = std::chrono::steady_clock::now();
  LabelOutcome outcome;
  const auto answers = all_gather(communicator, [&] {
    if (communicator.rank() != 0) return std::string();
    const auto dataset = data::Dataset::open(job.dataset, job.split);
    const auto file = pinned_labels({job.weights, job.pinned}, pin, job.split);
    open_labels(file, dataset.content_hash(), job.split);
    const LabelFileReader reader(file);
    reader.verify();
    LabelFileWriter writer(job.output, reader.provenance());
    for (uint32_t sample = writer.samples(); sample < reader.samples(); ++sample) {
      writer.add(reader.id(sample),
                 encode_record(reader.map_of(sample), reader.provenance().shape));
    }
    return fmt::format("{} {}", reader.samples(), writer.finish());
  });
  const size_t space = answers.front().find(' ');
  outcome.images = std::stoll(answers.front().substr(0, space));
  outcome.content_sha256 = answers.front().substr(space + 1);
  outcome.finished = true;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

}  // namespace

LabelOutcome build_labels(const LabelJob& job, Communicator& communicator) {
  if (const std::string pin = job.labeler.hash("labels_sha256"); !pin.empty()) {
    return take_over_labels(job, pin, communicator);
  }
  // Two batches per thread in each round: enough to even out slow images, with progress about every
  // second.
  constexpr int64_t kBatchesAThread = 2;
  const auto start = std::chrono::steady_clock::now();
  training::set_arithmetic("fp32", communicator.device());
  const OneThreadEach threads;
  const int rank = communicator.rank(), size = communicator.size();

  std::optional<data::Dataset> dataset;
  std::unique_ptr<Labeler> labeler;
  std::optional<LabelFileWriter> writer;
  const auto begun = all_gather(communicator, [&] {
    dataset = data::Dataset::open(job.dataset, job.split);
    labeler = make_labeler(job.labeler, {job.weights, job.pinned}, communicator.device());
    std::string number;
    if (rank == 0) {
      adopt_partial(job);
      writer.emplace(
          job.output,
          Provenance{write_value(job.labeler), labeler->weights_sha256(), dataset->content_hash(),
                     job.split, static_cast<int64_t>(dataset->samples().size()), labeler->shape()});
      append(number, int64_t{writer->samples()});
    }
    return number;
  });

  const int64_t total = static_cast<int64_t>(dataset->samples().size());
  const int64_t batches = kBatchesAThread * communicator.all_reduce_max(threads.before());
  LabelOutcome outcome;
  outcome.resumed_at = load<int64_t>(begun.front(), 0);
  // The interrupted batch is computed again in full, so that its images are batched as before.
  outcome.images = outcome.resumed_at == total
                       ? total
                       : outcome.resumed_at / labeler->batch() * labeler->batch();
  const auto add_records = [&](const std::string& records, int64_t& sample) {
    for (std::string_view rest = records; !rest.empty(); ++sample) {
      const size_t bytes = record_size(rest, labeler->shape());
      if (sample >= writer->samples()) {
        writer->add(dataset->samples().at(static_cast<size_t>(sample)).id, rest.substr(0, bytes));
      }
      rest.remove_prefix(bytes);
    }
  };
  while (outcome.images < total) {
    const auto range = [&](int of) {
      return share(outcome.images, total, labeler->batch(), batches, of, size);
    };
    const auto parts = all_gather(communicator, [&] {
      return label_range(*dataset, *labeler, range(rank), job.skip_unreadable,
                         static_cast<unsigned>(threads.before()))
          .message();
    });
    auto order = training::Directive::kContinue;
    const Range last = range(size - 1);
    all_gather(communicator, [&] {
      if (rank != 0) return std::string();
      int64_t sample = outcome.images;
      for (const std::string& part : parts) {
        const Labelled labelled = Labelled::from(part);
        add_records(labelled.records, sample);
        for (const auto line : lines_of(labelled.unreadable)) outcome.unreadable.emplace_back(line);
      }
      if (job.on_progress) order = job.on_progress(last.end, total);
      return std::string();
    });
    outcome.images = last.end;
    if (communicator.all_reduce_max(order == training::Directive::kStop) != 0) return outcome;
  }
  const auto hashes =
      all_gather(communicator, [&] { return rank == 0 ? writer->finish() : std::string(); });
  outcome.finished = true;
  outcome.content_sha256 = hashes.front();
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

std::unique_ptr<data::LabelSource> open_labels(
    const std::filesystem::path& file, const std::string& dataset_content_sha256,
    const std::string& split, const std::optional<experiments::LabelerSpec>& labeler) {
  auto reader = std::make_unique<LabelFileReader>(file);
  const Provenance& provenance = reader->provenance();
  if (provenance.dataset_sha256 != dataset_content_sha256) {
    fail_input("{}: labels of another dataset (content {:.12}…, wanted {:.12}…); make them again",
               file.string(), provenance.dataset_sha256, dataset_content_sha256);
  }
  if (provenance.split != split) {
    fail_input("{}: labels of split '{}', wanted '{}'", file.string(), provenance.split, split);
  }
  if (!labeler || !labeler->hash("labels_sha256").empty()) return reader;
  if (const Json wanted = write_value(*labeler); wanted != provenance.labeler) {
    fail_input("{}: labels by {}, wanted by {}; make them again", file.string(),
               provenance.labeler.dump(), wanted.dump());
  }
  return reader;
}

}  // namespace remixer::labelcache
