// Matrices where they stand: in a buffer, or in an open file.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "function.hpp"
#include "numerics.hpp"

namespace quantmap::bindings {

namespace {

// Rows of a file are read, not mapped: a file that gets shorter meanwhile is an error then, not a signal.
ReadRows file_reader(int descriptor, std::uint64_t offset, const Matrix& shape) {
  const std::size_t width = shape.columns * size_of(shape.type);
  return [descriptor, offset, width](std::size_t first, std::size_t rows,
                                     std::vector<unsigned char>& buffer) -> const void* {
    buffer.resize(std::max<std::size_t>(rows * width, 1));
    std::size_t done = 0;
    while (done < rows * width) {
      const auto place = static_cast<off_t>(offset + first * width + done);
      const ssize_t count = ::pread(descriptor, buffer.data() + done, rows * width - done, place);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return nullptr;
      done += static_cast<std::size_t>(count);
    }
    return buffer.data();
  };
}

ReadRows memory_reader(const Matrix& matrix) {
  return [matrix](std::size_t first, std::size_t, std::vector<unsigned char>&) -> const void* {
    return static_cast<const unsigned char*>(matrix.values) + first * matrix.columns * size_of(matrix.type);
  };
}

}  // namespace

MatrixSource::MatrixSource(const py::object& values, const std::string& type, std::size_t rows, std::size_t columns) {
  shape = {nullptr, stored_of(type), rows, columns};
  if (columns != 0 && rows > std::numeric_limits<std::size_t>::max() / columns / 4) throw py::value_error("too large");
  if (PyTuple_Check(values.ptr()) && PyTuple_GET_SIZE(values.ptr()) == 2) {
    const auto descriptor = Parameter<int>::read(PyTuple_GET_ITEM(values.ptr(), 0));
    read = file_reader(descriptor, Parameter<std::uint64_t>::read(PyTuple_GET_ITEM(values.ptr(), 1)), shape);
    return;
  }
  info_ = py::reinterpret_borrow<py::buffer>(values).request();
  shape.values = info_.ptr;
  const auto bytes = static_cast<std::size_t>(info_.size * info_.itemsize);
  if (bytes < rows * columns * size_of(shape.type)) throw py::value_error("the buffer is shorter than its shape");
  read = memory_reader(shape);
}

}  // namespace quantmap::bindings
