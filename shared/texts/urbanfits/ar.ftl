# UrbanFits in Arabic, from right to left. Codes are mailed; the page asks for the code of a sign-up.

lasting = { $minutes ->
    [zero] يعمل لمدة { $minutes } دقيقة ولمرة واحدة.
    [one] يعمل لمدة دقيقة واحدة ولمرة واحدة.
    [two] يعمل لمدة دقيقتين ولمرة واحدة.
    [few] يعمل لمدة { $minutes } دقائق ولمرة واحدة.
    [many] يعمل لمدة { $minutes } دقيقة ولمرة واحدة.
   *[other] يعمل لمدة { $minutes } دقيقة ولمرة واحدة.
}

mail-code-subject = { $purpose ->
    [reset_password] تعيين كلمة مرور جديدة في { $name }
   *[other] تأكيد بريدك الإلكتروني في { $name }
}
mail-code-title = { $name }
mail-code-sentence = { $code } هو رمز التحقق الخاص بك في { $name }.
mail-code-lead = رمز التحقق الخاص بك في { $name }:
mail-code-place = { $purpose ->
    [reset_password] أدخله مع كلمة المرور الجديدة. { lasting }
   *[other] أدخله في الصفحة التي سجّلت فيها. { lasting }
}
mail-code-page = الصفحة، في المتصفح الذي سجّلت فيه:
mail-code-note = { $purpose ->
    [reset_password] إذا لم تطلب هذا الرمز، فتجاهل هذه الرسالة: ستبقى كلمة المرور كما هي.
   *[other] إذا لم تسجّل، فتجاهل هذه الرسالة: لن يُنشأ أي حساب بدون الرمز.
}

link-sign-up = التسجيل من جديد
link-sign-in = تسجيل الدخول
link-shop = الذهاب إلى المتجر
link-help = المساعدة

page-more = المزيد
page-label = الرمز المكوّن من 5 أرقام
page-hint = لم تصلك رسالة بعد دقيقة أو دقيقتين؟ ابحث في مجلد البريد غير المرغوب فيه. لا تشارك الرمز مع أحد.
page-no-script = تحتاج هذه الصفحة إلى JavaScript للتحقق من الرمز. يرجى السماح به لهذه الصفحة ثم إعادة تحميلها.

script-title = { $text } – { $name }
script-error = خطأ: { $text }
script-enter = أدخل الرمز
script-sent = أرسلناه إلى بريدك الإلكتروني. أدخله هنا لإكمال التسجيل.
script-sent-to = أرسلناه إلى { $to }. أدخله هنا لإكمال التسجيل.
script-confirm = تأكيد
script-checking = جارٍ التحقق…
script-checking-status = جارٍ التحقق من الرمز
script-missing = يرجى إدخال الرمز المكوّن من 5 أرقام.
script-length = يتكوّن الرمز من 5 أرقام، وعدد الأرقام التي أدخلتها هو { $digits }.
script-wrong = هذا الرمز غير صحيح. يرجى التأكد منه والمحاولة مرة أخرى.
script-done = تم تسجيلك
script-welcome = مرحبًا بك! لقد سُجّل دخولك، ويمكنك إغلاق هذه الصفحة.
script-welcome-user = مرحبًا بك يا { $user }! لقد سُجّل دخولك، ويمكنك إغلاق هذه الصفحة.
script-over = لم يعد هذا الرمز صالحًا
script-over-lead = انتهت صلاحيته، أو استُخدم من قبل، أو أُدخل بشكل خاطئ مرات كثيرة. اطلب رمزًا جديدًا أو سجّل من جديد. { script-sign-in }
script-sign-in = إذا كان لديك حساب بالفعل، فما عليك سوى تسجيل الدخول.
script-taken = مستخدَم بالفعل
script-taken-lead = في هذه الأثناء سجّل شخص آخر بهذا البريد الإلكتروني أو باسم المستخدم هذا. يرجى التسجيل من جديد ببيانات أخرى. { script-sign-in }
script-too-many = محاولات كثيرة جدًا. يرجى الانتظار { $time }.
script-too-many-long = محاولات كثيرة جدًا. يرجى الانتظار { $time }. إذا انتهت صلاحية الرمز حتى ذلك الحين، فاطلب رمزًا جديدًا.
script-retry-in = إعادة المحاولة بعد { $time }
script-retry-now = يمكنك المحاولة مرة أخرى الآن.
script-kept-failed = حدث خطأ من جانبنا. لا يزال الرمز موجودًا هنا: يرجى المحاولة مرة أخرى.
script-kept-offline = تعذّر الاتصال بـ { $name }. لا يزال الرمز موجودًا هنا: يرجى المحاولة مرة أخرى.
script-again = إعادة الإرسال
script-again-in = إعادة الإرسال بعد { $time }
script-sending = جارٍ الإرسال…
script-sending-status = جارٍ إرسال رمز جديد
script-resent = أرسلنا رمزًا جديدًا إلى { $to }. لم يعد الرمز السابق صالحًا.
script-resent-status = تم إرسال رمز جديد.
script-ended = انتهى هذا التسجيل
script-ended-lead = اكتمل بالفعل، أو استغرق وقتًا طويلًا، أو أُدخل رمزه بشكل خاطئ مرات كثيرة. يرجى التسجيل من جديد. { script-sign-in }
script-no-new = لا يمكن إرسال رمز جديد بعد. يرجى الانتظار { $time }.
script-failed = حدث خطأ من جانبنا. يرجى المحاولة مرة أخرى.
script-offline = تعذّر الاتصال بـ { $name }. يرجى المحاولة مرة أخرى.
script-incomplete = هذا الرابط غير مكتمل
script-incomplete-lead = يرجى فتح الرابط كاملًا في المتصفح الذي سجّلت فيه، أو التسجيل من جديد. { script-sign-in }
script-confirmed = تم تأكيد بريدك الإلكتروني
script-confirmed-lead = لقد أكملت التسجيل بالفعل. لم يبقَ شيء لتفعله هنا.

count-seconds = { $count ->
    [zero] { $count } ثانية
    [one] ثانية واحدة
    [two] ثانيتين
    [few] { $count } ثوانٍ
    [many] { $count } ثانية
   *[other] { $count } ثانية
}
count-minutes = { $count ->
    [zero] { $count } دقيقة
    [one] دقيقة واحدة
    [two] دقيقتين
    [few] { $count } دقائق
    [many] { $count } دقيقة
   *[other] { $count } دقيقة
}
# The plural category of a number (CLDR), equal in every language.
count-category = { $count ->
    [zero] zero
    [one] one
    [two] two
    [few] few
    [many] many
   *[other] other
}
