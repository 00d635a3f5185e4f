import { Emitter } from '../../../lib/client/emitter';

class Bell extends Emitter<{ ring: [times: number] }> {
  ring(times: number): void {
    this.emit('ring', times);
  }
}

describe('an emitter', () => {
  it('calls listeners in the order in which they were added, each once', () => {
    const bell = new Bell();
    const seen: string[] = [];
    const first = (times: number): number => seen.push(`first ${times}`);
    bell.on('ring', first);
    bell.on('ring', (times) => seen.push(`second ${times}`));
    bell.on('ring', first);
    bell.ring(3);
    expect(seen).toEqual(['first 3', 'second 3']);
  });

  it('removes a listener by off() and by what on() returned', () => {
    const bell = new Bell();
    const listener = jest.fn();
    bell.on('ring', listener);
    bell.off('ring', listener);
    bell.on('ring', listener)();
    bell.ring(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it('does not call a listener that another one has just removed', () => {
    const bell = new Bell();
    const second = jest.fn();
    bell.on('ring', () => bell.off('ring', second));
    bell.on('ring', second);
    bell.ring(1);
    expect(second).not.toHaveBeenCalled();
  });

  it('calls a listener that another one has just added from the next event on', () => {
    const bell = new Bell();
    const added = jest.fn();
    bell.on('ring', () => bell.on('ring', added));
    bell.ring(1);
    expect(added).not.toHaveBeenCalled();
    bell.ring(2);
    expect(added).toHaveBeenCalledWith(2);
  });

  it('goes on after a listener that throws, and throws its error where the platform reports it', () => {
    const bell = new Bell();
    const reported = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => undefined);
    const second = jest.fn();
    bell.on('ring', () => {
      throw new Error('a mistake');
    });
    bell.on('ring', second);
    bell.ring(1);
    const [rethrow] = reported.mock.calls[0]!;
    reported.mockRestore();
    expect(second).toHaveBeenCalled();
    expect(rethrow).toThrow('a mistake');
  });
});
