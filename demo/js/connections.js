// Bytes of a sensor through Web Bluetooth (Nordic UART service) or Web Serial.

export const UART_SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
export const UART_NOTIFY = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";

/**
 * Let the user choose a Bluetooth sensor and listen to it.
 * @param take   called with Uint8Array, the bytes as they come
 * @param ended  called once when the connection has ended, with the reason or ""
 * @return a function that ends the connection
 */
export async function connectBluetooth(take, ended) {
  const device = await navigator.bluetooth.requestDevice({ filters: [{ services: [UART_SERVICE] }] });
  let open = true;
  const end = (reason) => {
    if (open) ended(reason);
    open = false;
  };
  device.addEventListener("gattserverdisconnected", () => end("the Bluetooth connection was lost"));
  const server = await device.gatt.connect();
  const characteristic = await (await server.getPrimaryService(UART_SERVICE)).getCharacteristic(UART_NOTIFY);
  characteristic.addEventListener("characteristicvaluechanged", ({ target: { value } }) => {
    take(new Uint8Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)));
  });
  await characteristic.startNotifications();
  return async () => {
    end("");
    device.gatt.disconnect();
  };
}

/** The same for a sensor at a serial port. */
export async function connectSerial(baudRate, take, ended) {
  const port = await navigator.serial.requestPort();
  await port.open({ baudRate });
  const reader = port.readable.getReader();
  const reading = (async () => {
    let reason = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        take(value);
      }
    } catch {
      reason = "the serial port was lost";
    }
    reader.releaseLock();
    ended(reason);
  })();
  return async () => {
    await reader.cancel().catch(() => {});
    await reading;
    await port.close().catch(() => {});
  };
}
