// SPDX-License-Identifier: Apache-2.0
#include "tests/support/stand_in_device.h"

#include "tests/support/stand_in_recording.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/HPUHooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>

namespace remixer::testing {
namespace {

using c10::DeviceType;
constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::HPU);

std::mutex g_mutex;
std::map<std::string, int> g_waits;

void count_wait(const std::string& name) {
  TORCH_CHECK(recording_under_way() == nullptr, name, ", which cannot be recorded");
  const std::lock_guard lock(g_mutex);
  ++g_waits[name];
}

// --- memory ---------------------------------------------------------------------------------

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    c10::DataPtr host = c10::GetCPUAllocator()->allocate(bytes);
    void* const data = host.get();
    const auto deleter = host.get_deleter();
    return {data, host.release_context(), deleter, kStandIn};
  }
  c10::DeleterFnPtr raw_deleter() const override { return c10::GetCPUAllocator()->raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};
Memory g_memory;

bool ours(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().type() == DeviceType::HPU;
}

// An operator of the device takes the CPU's tensors only without dimensions: as numbers.
void refuse_mixed(const std::string& name, const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(!tensor.defined() || !tensor.device().is_cpu() || tensor.dim() == 0, name,
                " mixes a tensor of the CPU, shape ", tensor.sizes(), ", with the device's");
  }
}

// The same memory under another device's name. The new storage keeps `tensor` alive.
c10::Storage renamed(const at::Tensor& tensor, c10::Device device, c10::Allocator* allocator) {
  void* const data = tensor.storage().mutable_data();
  c10::DataPtr pointer(
      data, new at::Tensor(tensor), [](void* held) { delete static_cast<at::Tensor*>(held); },
      device);
  return {c10::Storage::use_byte_size_t(), tensor.storage().nbytes(), std::move(pointer), allocator,
          /*resizable=*/true};
}

at::Tensor tensor_of(c10::Storage storage, c10::DispatchKeySet keys, const at::Tensor& like) {
  at::Tensor tensor =
      at::detail::make_tensor<c10::TensorImpl>(std::move(storage), keys, like.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(),
                                                      like.storage_offset());
  return tensor;
}

at::Tensor on_host(const at::Tensor& tensor) {
  if (!ours(tensor)) return tensor;
  return tensor_of(renamed(tensor, at::kCPU, c10::GetCPUAllocator()),
                   c10::DispatchKeySet(c10::DispatchKey::CPU), tensor);
}

// For a tensor that an operation of the CPU made.
at::Tensor on_device(const at::Tensor& host) {
  if (!host.defined() || !host.device().is_cpu()) return host;
  return tensor_of(renamed(host, kStandIn, &g_memory), kKeys, host);
}

// After an operation of the CPU changed `host`, which is on_host(device): an output may have
// another size now.
void take_over(const at::Tensor& host, const at::Tensor& device) {
  if (host.storage().data() != device.storage().data()) {
    device.unsafeGetTensorImpl()->set_storage_keep_dtype(renamed(host, kStandIn, &g_memory));
  }
  if (!host.sizes().equals(device.sizes()) || !host.strides().equals(device.strides())) {
    device.unsafeGetTensorImpl()->set_sizes_and_strides(host.sizes(), host.strides(),
                                                        host.storage_offset());
  }
}

// --- operators ------------------------------------------------------------------------------

const at::Tensor& made(const at::Tensor& tensor) {
  if (Recording* const recording = recording_under_way()) recording->note_made(tensor);
  return tensor;
}

using Tensors = std::vector<at::Tensor>;

bool same_memory(const at::Tensor& a, const at::Tensor& b) {
  return a.defined() && b.defined() && a.storage().data() == b.storage().data();
}

// The results of `operation`, which a recording repeats. It takes `arguments` and changes some.
Tensors recorded(const std::function<Tensors()>& operation, const Tensors& arguments,
                 const Tensors& changed) {
  Recording* const recording = recording_under_way();
  if (recording == nullptr) return operation();
  for (const at::Tensor& tensor : changed) recording->keep(tensor);
  const Tensors results = operation();
  for (const at::Tensor& result : results) {
    const bool is_new = result.defined() &&
                        std::none_of(arguments.begin(), arguments.end(), [&](const auto& argument) {
                          return same_memory(argument, result);
                        });
    if (is_new) recording->note_made(result);
  }
  recording->add([operation, results] {
    const Tensors again = operation();
    for (size_t i = 0; i < results.size(); ++i) {
      // A view of its argument, or the argument itself, is there already.
      if (!results[i].defined() || same_memory(results[i], again[i])) continue;
      on_host(results[i]).copy_(on_host(again[i]));
    }
  });
  return results;
}

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return made(
      at::detail::empty_generic(size, &g_memory, kKeys, c10::dtype_or_default(dtype), format));
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride,
                         std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return made(at::detail::empty_strided_generic(size, stride, &g_memory, kKeys,
                                                c10::dtype_or_default(dtype)));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  if (!ours(to)) count_wait("copy to the host");
  if (!ours(from) && !non_blocking) count_wait("copy to the device that is waited for");
  if (Recording* const recording = recording_under_way()) {
    // A CUDA graph would read that place of the host's memory again, whatever it holds by then.
    TORCH_CHECK(ours(from), "a copy from the host, which is not the same when it is repeated");
    recording->keep(to);
    recording->add([from, to] { on_host(to).copy_(on_host(from)); });
  }
  on_host(to).copy_(on_host(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (!from.sizes().equals(to.sizes())) to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar(const at::Tensor& tensor) {
  count_wait("a number read by the host");
  return on_host(tensor).item();
}

at::Tensor view_of(const at::Tensor& tensor, at::IntArrayRef size, at::IntArrayRef stride,
                   int64_t offset) {
  at::Tensor made = at::detail::make_tensor<c10::TensorImpl>(
      c10::TensorImpl::VIEW, c10::Storage(tensor.storage()), tensor.key_set(), tensor.dtype());
  made.unsafeGetTensorImpl()->set_sizes_and_strides(size, stride, offset);
  return made;
}

at::Tensor as_strided(const at::Tensor& tensor, at::IntArrayRef size, at::IntArrayRef stride,
                      std::optional<int64_t> offset) {
  return view_of(tensor, size, stride, offset.value_or(tensor.storage_offset()));
}

at::Tensor reshape_alias(const at::Tensor& tensor, at::IntArrayRef size, at::IntArrayRef stride) {
  return view_of(tensor, size, stride, tensor.storage_offset());
}

at::Tensor view(const at::Tensor& tensor, at::IntArrayRef size) {
  const at::Tensor host = on_host(tensor).view(size);
  return view_of(tensor, host.sizes(), host.strides(), tensor.storage_offset());
}

at::Tensor unfold(const at::Tensor& tensor, int64_t dimension, int64_t size, int64_t step) {
  const at::Tensor host = on_host(tensor).unfold(dimension, size, step);
  return view_of(tensor, host.sizes(), host.strides(), tensor.storage_offset());
}

void record_stream(at::Tensor&, c10::Stream) {}

// Convolutions of an unknown device have names of their own.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, int64_t groups) {
  refuse_mixed("convolution", {x, weight, bias.value_or(at::Tensor())});
  return recorded(
      [=, stride = stride.vec(), padding = padding.vec(), dilation = dilation.vec(),
       output_padding = output_padding.vec()]() -> Tensors {
        const auto host_bias = bias ? std::optional(on_host(*bias)) : std::nullopt;
        return {on_device(at::convolution(on_host(x), on_host(weight), host_bias, stride, padding,
                                          dilation, transposed, output_padding, groups))};
      },
      {x, weight}, {})[0];
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
    at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  refuse_mixed("convolution_backward", {dy, x, weight});
  const int64_t biases = transposed ? weight.size(1) * groups : weight.size(0);
  const auto results = recorded(
      [=, stride = stride.vec(), padding = padding.vec(), dilation = dilation.vec(),
       output_padding = output_padding.vec()]() -> Tensors {
        const auto [dx, dw, db] = at::convolution_backward(
            on_host(dy), on_host(x), on_host(weight), at::OptionalIntArrayRef(biases), stride,
            padding, dilation, transposed, output_padding, groups, wanted);
        return {on_device(dx), on_device(dw), on_device(db)};
      },
      {dy, x, weight}, {});
  return {results[0], results[1], results[2]};
}

// Operators after which a GPU's host must know the values: to know a size, or for an answer.
bool waits(const std::string& name) {
  static const std::set<std::string> known{
      "aten::nonzero",          "aten::masked_select", "aten::equal",
      "aten::_unique2",         "aten::unique_dim",    "aten::bincount",
      "aten::repeat_interleave"};
  return known.contains(name);
}

// An index that is a mask: how many it chooses must be known.
bool chooses_by_mask(const c10::IValue& argument) {
  if (!argument.isOptionalTensorList()) return false;
  const auto tensors = argument.toOptionalTensorVector();
  return std::any_of(tensors.begin(), tensors.end(), [](const std::optional<at::Tensor>& tensor) {
    return tensor && tensor->defined() &&
           (tensor->scalar_type() == at::kBool || tensor->scalar_type() == at::kByte);
  });
}

// The CPU's kernel on the same memory.
void run(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string& name = op.schema().name();
  const size_t arguments = op.schema().arguments().size();
  const auto begin = stack->end() - static_cast<ptrdiff_t>(arguments);
  if (waits(name) || std::any_of(begin, stack->end(), chooses_by_mask)) count_wait(name);
  // Where each tensor of the CPU came from, to give out the same tensor for one changed in place.
  std::vector<std::pair<at::Tensor, at::Tensor>> given;
  const auto lend = [&](const at::Tensor& tensor) {
    refuse_mixed(name, {tensor});
    at::Tensor host = on_host(tensor);
    if (ours(tensor)) given.emplace_back(host, tensor);
    return host;
  };
  for (auto argument = begin; argument != stack->end(); ++argument) {
    if (argument->isTensor()) {
      *argument = lend(argument->toTensor());
    } else if (argument->isTensorList()) {
      auto tensors = argument->toTensorVector();
      for (at::Tensor& tensor : tensors) tensor = lend(tensor);
      *argument = c10::IValue(c10::List<at::Tensor>(tensors));
    } else if (argument->isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> tensors;
      for (const std::optional<at::Tensor>& tensor : argument->toOptionalTensorVector()) {
        tensors.push_back(tensor ? std::optional(lend(*tensor)) : std::nullopt);
      }
      *argument = c10::IValue(tensors);
    } else if (argument->isDevice()) {
      *argument = c10::Device(at::kCPU);
    }
  }
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  for (const auto& [host, device] : given) take_over(host, device);
  const auto take = [&](const at::Tensor& tensor) {
    for (const auto& [host, device] : given) {
      if (host.unsafeGetTensorImpl() == tensor.unsafeGetTensorImpl()) return device;
    }
    return on_device(tensor);
  };
  const size_t returns = op.schema().returns().size();
  for (auto result = stack->end() - static_cast<ptrdiff_t>(returns); result != stack->end();
       ++result) {
    if (result->isTensor()) {
      *result = take(result->toTensor());
    } else if (result->isTensorList()) {
      auto tensors = result->toTensorVector();
      for (at::Tensor& tensor : tensors) tensor = take(tensor);
      *result = c10::IValue(c10::List<at::Tensor>(tensors));
    }
  }
}

Tensors tensors_in(const c10::IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  if (value.isTensorList()) return value.toTensorVector();
  Tensors all;
  if (!value.isOptionalTensorList()) return all;
  for (const auto& tensor : value.toOptionalTensorVector()) {
    if (tensor) all.push_back(*tensor);
  }
  return all;
}

// Everything else.
void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  if (recording_under_way() == nullptr) return run(op, stack);
  const auto& parameters = op.schema().arguments();
  const torch::jit::Stack arguments(stack->end() - static_cast<ptrdiff_t>(parameters.size()),
                                    stack->end());
  Tensors given, changed;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto* alias = parameters[i].alias_info();
    const Tensors tensors = tensors_in(arguments[i]);
    given.insert(given.end(), tensors.begin(), tensors.end());
    if (alias != nullptr && alias->isWrite()) {
      changed.insert(changed.end(), tensors.begin(), tensors.end());
    }
  }
  const auto results = std::make_shared<torch::jit::Stack>();
  recorded(
      [op, arguments, results] {
        torch::jit::Stack values = arguments;
        run(op, &values);
        if (results->empty()) *results = values;  // of the first time
        Tensors all;
        for (const c10::IValue& value : values) {
          const Tensors tensors = tensors_in(value);
          all.insert(all.end(), tensors.begin(), tensors.end());
        }
        return all;
      },
      given, changed);
  torch::jit::drop(*stack, parameters.size());
  stack->insert(stack->end(), results->begin(), results->end());
}

// --- streams and events, which hold nothing back ----------------------------------------------

struct Guard final : c10::impl::NoOpDeviceGuardImpl<DeviceType::HPU> {
  static c10::Stream stream(c10::StreamId id) {
    return c10::Stream(c10::Stream::UNSAFE, kStandIn, id);
  }
  static c10::StreamId& current() {
    static thread_local c10::StreamId id = 0;
    return id;
  }
  c10::Device exchangeDevice(c10::Device) const override { return kStandIn; }
  c10::Device getDevice() const override { return kStandIn; }
  c10::Stream getStream(c10::Device) const noexcept override { return stream(current()); }
  c10::Stream getDefaultStream(c10::Device) const override { return stream(0); }
  c10::Stream getStreamFromGlobalPool(c10::Device, bool) const override { return stream(1); }
  c10::Stream exchangeStream(c10::Stream next) const noexcept override {
    return stream(std::exchange(current(), next.id()));
  }
  void record(void** event, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {
    *event = &g_memory;  // any address but null: "recorded"
  }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void synchronizeEvent(void*) const override { count_wait("an event waited for"); }
  void synchronizeStream(const c10::Stream&) const override { count_wait("a stream waited for"); }
  void synchronizeDevice(c10::DeviceIndex) const override { count_wait("the device waited for"); }
};
C10_REGISTER_GUARD_IMPL(HPU, Guard)

struct HPUHooks final : at::HPUHooksInterface {
  explicit HPUHooks(at::HPUHooksArgs) {}
  void init() const override {}
  bool hasHPU() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
};
using at::HPUHooksArgs;
using at::HPUHooksInterface;
using at::HPUHooksRegistry;
using at::RegistererHPUHooksRegistry;
REGISTER_HPU_HOOKS(HPUHooks)

TORCH_LIBRARY_IMPL(aten, HPU, library) {
  library.impl("empty.memory_format", empty);
  library.impl("empty_strided", empty_strided);
  library.impl("_copy_from", copy_from);
  library.impl("_copy_from_and_resize", copy_from_and_resize);
  library.impl("_local_scalar_dense", local_scalar);
  library.impl("as_strided", as_strided);
  library.impl("_reshape_alias", reshape_alias);
  library.impl("view", view);
  library.impl("convolution_overrideable", convolution);
  library.impl("convolution_backward_overrideable", convolution_backward);
  library.impl("unfold", unfold);
  library.impl("record_stream", record_stream);
}
TORCH_LIBRARY_IMPL(_, HPU, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>());
}

}  // namespace

std::map<std::string, int> take_host_waits() {
  const std::lock_guard lock(g_mutex);
  return std::exchange(g_waits, {});
}

}  // namespace remixer::testing
